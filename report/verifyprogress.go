package report

import (
	"fmt"
	"io"
	"time"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

type plannedJSON struct {
	eventHead
	Tables        int   `json:"tables"`
	ExpectedRows  int64 `json:"expected_rows"`
	ExpectedBytes int64 `json:"expected_bytes"`
}

type tableComparedJSON struct {
	eventHead
	Table   string `json:"table"`
	State   string `json:"state"`
	Problem string `json:"problem"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Missing int64  `json:"missing_rows"`
	Extra   int64  `json:"extra_rows"`
	Changed int64  `json:"changed_rows"`
}

// VerifyEventLine writes an event of a comparison as one line of JSON. What is
// read of tables has no line of its own: see [ProgressLine].
func VerifyEventLine(w io.Writer, at time.Time, e proof.Event) error {
	var document any
	switch e := e.(type) {
	case proof.Step:
		document = stepStartedJSON{head(at, "step_started"), e.Name}
	case proof.Notice:
		document = noticeEventJSON{head(at, "notice"), e.Message}
	case proof.Planned:
		document = plannedJSON{head(at, "planned"), e.Tables, e.Rows, e.Bytes}
	case proof.Rows:
		switch e := e.Event.(type) {
		case verify.TableStarted:
			document = tableStartedJSON{head(at, "table_started"), e.Table, e.Rows, e.Bytes}
		case verify.TableCompared:
			r := e.Result
			document = tableComparedJSON{
				head(at, "table_compared"), r.Name, string(r.State), r.Problem, r.Expected.Rows, r.Bytes, r.Missing, r.Extra, r.Changed,
			}
		default:
			return nil
		}
	default:
		return fmt.Errorf("write event: %T is unknown", e)
	}
	return writeLine(w, document)
}
