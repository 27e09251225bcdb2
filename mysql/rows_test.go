package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
)

// scripted is a connection whose server has said everything beforehand.
type scripted struct {
	net.Conn
	io.Reader
	sent   bytes.Buffer
	closed bool
}

func (s *scripted) Read(p []byte) (int, error)       { return s.Reader.Read(p) }
func (s *scripted) Write(p []byte) (int, error)      { return s.sent.Write(p) }
func (s *scripted) Close() error                     { s.closed = true; return nil }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// stream builds what a server sends.
type stream struct {
	bytes.Buffer
	sequence byte
}

// packet adds a payload, in as many packets as it needs.
func (s *stream) packet(payload ...byte) *stream {
	for {
		n := min(len(payload), maxPayload)
		s.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), s.sequence})
		s.Write(payload[:n])
		s.sequence++
		payload = payload[n:]
		if n < maxPayload {
			return s
		}
	}
}

// columns adds the head of a result set.
func (s *stream) columns(n int) *stream {
	s.sequence = 1
	s.packet(byte(n))
	for range n {
		s.packet([]byte("a column definition")...)
	}
	return s.end()
}

// end adds the packet that ends columns and rows.
func (s *stream) end() *stream { return s.packet(headEOF, 0, 0, 2, 0) }

// row adds a row; nil is NULL.
func (s *stream) row(fields ...any) *stream {
	var p []byte
	for _, f := range fields {
		if f == nil {
			p = append(p, headNull)
			continue
		}
		v := f.(string)
		switch n := len(v); {
		case n < headNull:
			p = append(p, byte(n))
		case n < 1<<16:
			p = append(p, 0xFC, byte(n), byte(n>>8))
		case n < 1<<24:
			p = append(p, 0xFD, byte(n), byte(n>>8), byte(n>>16))
		default:
			p = append(p, 0xFE, byte(n), byte(n>>8), byte(n>>16), byte(n>>24), 0, 0, 0, 0)
		}
		p = append(p, v...)
	}
	return s.packet(p...)
}

// failure adds an error packet.
func (s *stream) failure(code uint16, message string) *stream {
	return s.packet(append([]byte{headError, byte(code), byte(code >> 8), '#', '4', '2', '0', '0', '0'}, message...)...)
}

// reading makes a reader that hears the stream, with a buffer of size bytes.
func (s *stream) reading(size int, how func(io.Reader) io.Reader) (*Reader, *scripted) {
	conn := &scripted{Reader: how(bytes.NewReader(s.Bytes()))}
	return &Reader{conn: conn, buf: make([]byte, size)}, conn
}

// drain reads all rows as text, large rows field by field; NULL is "<null>".
func drain(rows *Rows, chunk int) ([][]string, error) {
	var out [][]string
	for {
		fields, large, err := rows.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		var row []string
		for _, f := range fields {
			if f == nil {
				row = append(row, "<null>")
				continue
			}
			row = append(row, string(f))
		}
		for large {
			size, null, err := rows.NextField()
			if err == io.EOF {
				break
			}
			if err != nil {
				return out, err
			}
			if null {
				row = append(row, "<null>")
				continue
			}
			var b strings.Builder
			for p := make([]byte, chunk); ; {
				n, err := rows.Read(p)
				b.Write(p[:n])
				if err == io.EOF {
					break
				}
				if err != nil {
					return out, err
				}
			}
			if int64(b.Len()) != size {
				return out, fmt.Errorf("announced %d bytes, came %d", size, b.Len())
			}
			row = append(row, b.String())
		}
		out = append(out, row)
	}
}

func TestRowsArrive(t *testing.T) {
	long := strings.Repeat("0123456789", 30)
	huge := strings.Repeat("x", 70000)
	tests := []struct {
		name string
		rows [][]any
	}{
		{"none", nil},
		{"null and empty", [][]any{{nil, ""}, {"", nil}, {nil, nil}}},
		{"lengths around the short form", [][]any{{long[:250], long[:251]}, {long[:252], "x"}, {long, long}}},
		{"large rows between small ones", [][]any{{"1", "a"}, {"2", huge}, {"3", "b"}, {huge, nil}, {nil, "c"}}},
		{"a row as long as the buffer", [][]any{{long, strings.Repeat("y", 1024-3-300-3)}, {"1", "2"}}},
		{"a row one byte longer", [][]any{{long, strings.Repeat("y", 1025-3-300-3)}, {"1", "2"}}},
	}
	ways := map[string]func(io.Reader) io.Reader{
		"at once":    func(r io.Reader) io.Reader { return r },
		"by halves":  iotest.HalfReader,
		"by bytes":   iotest.OneByteReader,
		"with error": iotest.DataErrReader,
	}
	for _, test := range tests {
		for way, how := range ways {
			for _, chunk := range []int{1, 100, 100000} {
				t.Run(fmt.Sprintf("%s/%s/%d", test.name, way, chunk), func(t *testing.T) {
					s := new(stream).columns(2)
					var want [][]string
					for _, row := range test.rows {
						s.row(row...)
						var texts []string
						for _, f := range row {
							if f == nil {
								f = "<null>"
							}
							texts = append(texts, f.(string))
						}
						want = append(want, texts)
					}
					s.end()
					r, conn := s.reading(1024, how)
					rows, err := r.Query(t.Context(), "SELECT 1")
					if err != nil {
						t.Fatal(err)
					}
					got, err := drain(rows, chunk)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("(-want +got):\n%.2000s", diff)
					}
					if err := rows.Close(); err != nil {
						t.Error(err)
					}
					if got := conn.sent.String(); got != "\x09\x00\x00\x00\x03SELECT 1" {
						t.Errorf("sent %q", got)
					}
				})
			}
		}
	}
}

func TestRowsBeyondOnePacket(t *testing.T) {
	// Rows of several packets: shorter, exactly one and more than two full ones.
	// The length in front of the second field straddles two packets in one of them.
	straddling := []any{strings.Repeat("y", maxPayload-6), strings.Repeat("x", 300), "tail"}
	for _, size := range []int{maxPayload - 8, maxPayload - 7, maxPayload - 6, maxPayload - 5, maxPayload - 4, maxPayload, 2*maxPayload + 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			big := bytes.Repeat([]byte{'z'}, size)
			big[size-1] = '!'
			s := new(stream).columns(3).row("1", string(big), "tail").row("2", "b", nil)
			s.row(straddling...).end()
			r, _ := s.reading(readBuffer, func(r io.Reader) io.Reader { return r })
			rows, err := r.Query(t.Context(), "q")
			if err != nil {
				t.Fatal(err)
			}
			got, err := drain(rows, 100000)
			if err != nil {
				t.Fatal(err)
			}
			want := [][]string{{"1", string(big), "tail"}, {"2", "b", "<null>"}, {straddling[0].(string), straddling[1].(string), "tail"}}
			if !cmp.Equal(want, got) {
				t.Errorf("rows of %d bytes came wrong", size)
			}
		})
	}
}

func TestRowsSkipWhatIsNotRead(t *testing.T) {
	huge := strings.Repeat("x", 9000)
	s := new(stream).columns(3).row("1", huge, "a").row(huge, huge, "b").row("3", "c", nil).end()
	r, _ := s.reading(512, func(r io.Reader) io.Reader { return r })
	rows, err := r.Query(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	if _, large, err := rows.Next(); !large || err != nil {
		t.Fatal(large, err)
	}
	for range 2 {
		if _, _, err := rows.NextField(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := rows.Read(make([]byte, 10)); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	// The rest of the row, and all of the next one, is never asked for.
	if _, large, err := rows.Next(); !large || err != nil {
		t.Fatal(large, err)
	}
	fields, large, err := rows.Next()
	if large || err != nil || string(fields[0]) != "3" || fields[2] != nil {
		t.Fatal(fields, large, err)
	}
	if _, _, err := rows.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

func TestServerErrors(t *testing.T) {
	tests := []struct {
		name string
		say  func(s *stream)
	}{
		{"at once", func(s *stream) { s.sequence = 1; s.failure(1146, "no such table") }},
		{"after the columns", func(s *stream) { s.columns(1).failure(1146, "no such table") }},
		{"among the rows", func(s *stream) { s.columns(1).row("1").row("2").failure(1146, "no such table") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := new(stream)
			test.say(s)
			// The connection can be used again.
			next := new(stream).columns(1).row("42").end()
			r, _ := s.reading(1024, func(r io.Reader) io.Reader { return io.MultiReader(r, next) })
			rows, err := r.Query(t.Context(), "SELECT x")
			if err == nil {
				_, err = drain(rows, 10)
				if closeErr := rows.Close(); closeErr != nil {
					t.Error(closeErr)
				}
			}
			var e *driver.MySQLError
			if !errors.As(err, &e) || e.Number != 1146 || e.Message != "no such table" || string(e.SQLState[:]) != "42000" {
				t.Fatalf("got %v", err)
			}
			again, err := r.all(t.Context(), "SELECT 42")
			if err != nil || len(again) != 1 || again[0][0] != "42" {
				t.Errorf("the next query gave %v, %v", again, err)
			}
		})
	}
}

func TestBrokenStreams(t *testing.T) {
	tests := []struct {
		name string
		say  func(s *stream)
		want string
	}{
		{"closed at once", func(*stream) {}, "the server closed the connection"},
		{"closed among the rows", func(s *stream) { s.columns(1).row("1") }, "the server closed the connection"},
		{"closed inside a row", func(s *stream) { s.columns(1).row("abcdef"); s.Truncate(s.Len() - 3) }, "the server closed the connection"},
		{"closed inside a large row", func(s *stream) { s.columns(1).row(strings.Repeat("x", 5000)); s.Truncate(s.Len() - 3) }, "the server closed the connection"},
		{"too few fields", func(s *stream) { s.columns(2).row("1").end() }, "malformed"},
		{"too many fields", func(s *stream) { s.columns(1).row("1", "2").end() }, "malformed"},
		{"too many fields in a large row", func(s *stream) { s.columns(1).row("1", strings.Repeat("x", 5000)).end() }, "malformed"},
		{"too few fields in a large row", func(s *stream) { s.columns(2).row(strings.Repeat("x", 5000)).end() }, "malformed"},
		{"a lost packet", func(s *stream) { s.columns(1); s.sequence++; s.row("1").end() }, "malformed"},
		{"a second result", func(s *stream) { s.columns(1).packet(headEOF, 0, 0, statusMoreResults, 0) }, "malformed"},
		{"a wish for a file", func(s *stream) { s.sequence = 1; s.packet(append([]byte{headNull}, "/etc/passwd"...)...) }, "local file"},
		{"an empty row", func(s *stream) { s.columns(1).packet() }, "malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := new(stream)
			test.say(s)
			r, conn := s.reading(1024, func(r io.Reader) io.Reader { return r })
			rows, err := r.Query(t.Context(), "q")
			if err == nil {
				_, err = drain(rows, 10)
				if rows.Close() == nil {
					t.Error("Close did not say that the connection is lost")
				}
			}
			if err == nil || err == io.EOF || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if !conn.closed {
				t.Error("the connection is still open")
			}
			if _, err := r.Query(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "is lost") {
				t.Errorf("the next query: %v", err)
			}
		})
	}
}

func TestOneQueryAtATime(t *testing.T) {
	s := new(stream).columns(1).row("1").end()
	r, _ := s.reading(1024, func(r io.Reader) io.Reader { return r })
	if _, err := r.Query(t.Context(), "q"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Query(t.Context(), "q"); !errors.Is(err, errBusy) {
		t.Errorf("got %v", err)
	}
}

func TestCancelledBeforeTheQuery(t *testing.T) {
	r, conn := new(stream).reading(1024, func(r io.Reader) io.Reader { return r })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Query(ctx, "q"); !errors.Is(err, context.Canceled) || conn.sent.Len() > 0 {
		t.Errorf("got %v, sent %q", err, conn.sent.String())
	}
}

func TestRowsDoNotAllocate(t *testing.T) {
	s := new(stream).columns(3)
	for range 3000 {
		s.row("12345", nil, "some text that is not long")
		s.row("12345", strings.Repeat("x", 2000), "large")
	}
	r, _ := s.end().reading(1024, func(r io.Reader) io.Reader { return r })
	rows, err := r.Query(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	n := testing.AllocsPerRun(1000, func() {
		if _, large, err := rows.Next(); large || err != nil {
			t.Fatal(large, err)
		}
		if _, large, err := rows.Next(); !large || err != nil {
			t.Fatal(large, err)
		}
		for range 3 {
			if _, _, err := rows.NextField(); err != nil {
				t.Fatal(err)
			}
			if _, err := rows.Read(p); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%.1f allocations per pair of rows", n)
	}
}

func FuzzRows(f *testing.F) {
	f.Add(new(stream).columns(2).row("1", nil).row("2", strings.Repeat("x", 300)).end().Bytes(), 2)
	f.Add(new(stream).columns(1).failure(1317, "interrupted").Bytes(), 1)
	f.Fuzz(func(t *testing.T, said []byte, chunk int) {
		conn := &scripted{Reader: bytes.NewReader(said)}
		r := &Reader{conn: conn, buf: make([]byte, 64)}
		rows, err := r.Query(t.Context(), "q")
		if err != nil {
			return
		}
		// Whatever the server says: no panic, no endless loop, no end that is none.
		if _, err := drain(rows, 1+chunk&0xFF); err == nil && rows.err != io.EOF {
			t.Errorf("ended with %v", rows.err)
		}
	})
}

func TestParseInnodbStatus(t *testing.T) {
	const mariadb = "TRANSACTIONS\n------------\nTrx id counter 45\nPurge done\n" +
		"---TRANSACTION (0x7fd668163680), ACTIVE 0 sec\n---TRANSACTION (0x7fd668162b80), not started\n"
	const mysql = "Trx id counter 1631\n---TRANSACTION 375301114292640, not started\n---TRANSACTION 375301114291832, ACTIVE 3 sec\n"
	tests := []struct {
		name, text, counter string
		writers             int
	}{
		{"readers only on MariaDB", mariadb, "45", 0},
		{"readers only on MySQL", mysql, "1631", 0},
		{"a writer", mariadb + "---TRANSACTION 44, ACTIVE 3 sec\n", "45", 1},
		{"a prepared writer", mysql + "---TRANSACTION 1630, ACTIVE (PREPARED) 3 sec recovered trx\n", "1631", 1},
		{"cut short", mariadb + "... truncated...\n", "", 0},
		{"nothing", "", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			counter, writers := parseInnodbStatus(test.text)
			if counter != test.counter || writers != test.writers {
				t.Errorf("got %q and %d writers", counter, writers)
			}
		})
	}
}
