package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

// progressSchema is the version of the lines of migrate --progress json; see planSchema.
const progressSchema = "moodledb.progress/1"

// eventHead begins every line.
type eventHead struct {
	Schema string `json:"schema"`
	Time   string `json:"time"`
	Event  string `json:"event"`
}

type runStartedJSON struct {
	eventHead
	Run     int64 `json:"run"`
	Resumed bool  `json:"resumed"`
}

type stepStartedJSON struct {
	eventHead
	Step string `json:"step"`
}

type stepDoneJSON struct {
	eventHead
	Step    string  `json:"step"`
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail"`
}

type tableResumedJSON struct {
	eventHead
	Table   string `json:"table"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Indexes int    `json:"indexes"`
	Copied  bool   `json:"copied"`
	Done    bool   `json:"done"`
	Verify  bool   `json:"verified"`
}

type tableStartedJSON struct {
	eventHead
	Table         string `json:"table"`
	ExpectedRows  int64  `json:"expected_rows"`
	ExpectedBytes int64  `json:"expected_bytes"`
}

type tableCopiedJSON struct {
	eventHead
	Table   string  `json:"table"`
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

type indexStartedJSON struct {
	eventHead
	Table string `json:"table"`
	Index string `json:"index"`
}

type indexBuiltJSON struct {
	eventHead
	Table   string  `json:"table"`
	Index   string  `json:"index"`
	Seconds float64 `json:"seconds"`
}

type tableDoneJSON struct {
	eventHead
	Table string `json:"table"`
}

type tableVerifiedJSON struct {
	eventHead
	Table   string  `json:"table"`
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

type tableReadAgainJSON struct {
	eventHead
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

type retryingJSON struct {
	eventHead
	What        string  `json:"what"`
	Error       string  `json:"error"`
	WaitSeconds float64 `json:"wait_seconds"`
}

type readerLostJSON struct {
	eventHead
	What  string `json:"what"`
	Error string `json:"error"`
}

type noticeEventJSON struct {
	eventHead
	Message string `json:"message"`
}

type foundJSON struct {
	eventHead
	Finding findingEntry `json:"finding"`
}

type progressJSON struct {
	eventHead
	Run           int64         `json:"run"`
	Step          string        `json:"step"`
	Elapsed       float64       `json:"elapsed_seconds"`
	Fraction      float64       `json:"fraction"`
	ETA           float64       `json:"eta_seconds"`
	Tables        int           `json:"tables"`
	TablesCopied  int           `json:"tables_copied"`
	TablesDone    int           `json:"tables_done"`
	Verified      int           `json:"tables_verified"`
	Rows          int64         `json:"rows"`
	ExpectedRows  int64         `json:"expected_rows"`
	Bytes         int64         `json:"bytes"`
	ExpectedBytes int64         `json:"expected_bytes"`
	Indexes       int           `json:"indexes"`
	IndexesBuilt  int           `json:"indexes_built"`
	RowRate       float64       `json:"rows_per_second"`
	ByteRate      float64       `json:"bytes_per_second"`
	Retries       int           `json:"retries"`
	ReadersLost   int           `json:"readers_lost"`
	Working       []workingJSON `json:"working"`
}

type workingJSON struct {
	Table         string   `json:"table"`
	Rows          int64    `json:"rows"`
	ExpectedRows  int64    `json:"expected_rows"`
	Bytes         int64    `json:"bytes"`
	ExpectedBytes int64    `json:"expected_bytes"`
	Copied        bool     `json:"copied"`
	Reading       bool     `json:"reading"`
	Building      []string `json:"building"`
}

type endedJSON struct {
	eventHead
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

func head(at time.Time, event string) eventHead {
	return eventHead{Schema: progressSchema, Time: at.UTC().Format(time.RFC3339Nano), Event: event}
}

// EventLine writes an event of a run as one line of JSON. Counts of tables
// while they are copied or read back have no line of their own: see [ProgressLine].
func EventLine(w io.Writer, at time.Time, e migrate.Event) error {
	document, err := eventDocument(at, e)
	if err != nil || document == nil {
		return err
	}
	return writeLine(w, document)
}

func eventDocument(at time.Time, e migrate.Event) (any, error) {
	switch e := e.(type) {
	case migrate.RunStarted:
		return runStartedJSON{head(at, "run_started"), e.ID, e.Resumed}, nil
	case migrate.StepStarted:
		return stepStartedJSON{head(at, "step_started"), e.Name}, nil
	case migrate.StepDone:
		return stepDoneJSON{head(at, "step_done"), e.Name, seconds(e.Elapsed), e.Detail}, nil
	case migrate.TableResumed:
		return tableResumedJSON{head(at, "table_resumed"), e.Table, e.Rows, e.Bytes, e.Indexes, e.Copied, e.Done, e.Verified}, nil
	case migrate.TableStarted:
		return tableStartedJSON{head(at, "table_started"), e.Table, e.Rows, e.Bytes}, nil
	case migrate.TableProgress, migrate.VerifyProgress:
		return nil, nil
	case migrate.TableCopied:
		return tableCopiedJSON{head(at, "table_copied"), e.Table, e.Rows, e.Bytes, seconds(e.Elapsed)}, nil
	case migrate.IndexStarted:
		return indexStartedJSON{head(at, "index_started"), e.Table, e.Name}, nil
	case migrate.IndexBuilt:
		return indexBuiltJSON{head(at, "index_built"), e.Table, e.Name, seconds(e.Elapsed)}, nil
	case migrate.TableDone:
		return tableDoneJSON{head(at, "table_done"), e.Table}, nil
	case migrate.TableVerified:
		return tableVerifiedJSON{head(at, "table_verified"), e.Table, e.Rows, e.Bytes, seconds(e.Elapsed)}, nil
	case migrate.TableReadAgain:
		return tableReadAgainJSON{head(at, "table_read_again"), e.Table, e.Rows, e.Bytes}, nil
	case migrate.Retrying:
		return retryingJSON{head(at, "retrying"), e.What, errorText(e.Err), seconds(e.Wait)}, nil
	case migrate.ReaderLost:
		return readerLostJSON{head(at, "reader_lost"), e.What, errorText(e.Err)}, nil
	case migrate.Notice:
		return noticeEventJSON{head(at, "notice"), e.Message}, nil
	default:
		return nil, fmt.Errorf("write event: %T is unknown", e)
	}
}

// FindingLines writes the findings of a plan that a person should see before
// it runs, all blockers and warnings, each as one line of JSON.
func FindingLines(w io.Writer, at time.Time, p *migrate.Plan) error {
	for _, f := range p.Findings {
		if f.Severity == migrate.Info {
			continue
		}
		if err := writeLine(w, foundJSON{head(at, "finding"), findingDocument(f)}); err != nil {
			return err
		}
	}
	return nil
}

// ProgressLine writes how far a run is as one line of JSON.
func ProgressLine(w io.Writer, at time.Time, p *Progress) error {
	eta := -1.0
	if p.LeftKnown {
		eta = seconds(p.Left)
	}
	return writeLine(w, progressJSON{
		eventHead: head(at, "progress"), Run: p.Run, Step: p.Step, Elapsed: seconds(p.Elapsed), Fraction: thousandth(p.Fraction), ETA: eta,
		Tables: p.Tables, TablesCopied: p.Copied, TablesDone: p.Done, Verified: p.Verified, Rows: p.Rows, ExpectedRows: p.ExpectedRows,
		Bytes: p.Bytes, ExpectedBytes: p.ExpectedBytes, Indexes: p.Indexes, IndexesBuilt: p.Built,
		RowRate: thousandth(p.RowRate), ByteRate: thousandth(p.ByteRate), Retries: p.Retries, ReadersLost: p.ReadersLost,
		Working: list(p.Working, func(t WorkingTable) workingJSON {
			return workingJSON{t.Table, t.Rows, t.ExpectedRows, t.Bytes, t.ExpectedBytes, t.Copied, t.Reading, list(t.Building, same)}
		}),
	})
}

// EndedLine writes how a run ended as one line of JSON; err is nil when it ended well.
func EndedLine(w io.Writer, at time.Time, err error) error {
	return writeLine(w, endedJSON{head(at, "ended"), err == nil, errorText(err)})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// thousandth keeps three decimals.
func thousandth(x float64) float64 { return float64(int64(x*1000)) / 1000 }

// writeLine writes a document as one line, at once.
func writeLine(w io.Writer, document any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapeJSON(b.String()))
	return err
}
