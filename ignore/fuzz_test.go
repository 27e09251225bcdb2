package ignore

import "testing"

func FuzzParseBaseline(f *testing.F) {
	f.Add([]byte(`{"schema": "moodledb.diff/1", "changes": [{"fingerprint": "a"}], "known": [{"fingerprint": "a"}]}`))
	f.Add([]byte("\xef\xbb\xbf{\"schema\": \"moodledb.diff/1\"}"))
	f.Add([]byte(`{"schema": "moodledb.diff/1", "changes": [{}], "changes": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := parseBaseline(data)
		if (err == nil) == (b.counts == nil) {
			t.Errorf("parseBaseline = %v, %v", b, err)
		}
		if b.counts[""] != 0 {
			t.Error("a change without a fingerprint was accepted")
		}
	})
}
