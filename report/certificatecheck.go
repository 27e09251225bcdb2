package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// checkSchema is the version of the document of verify --check-certificate; see planSchema.
const checkSchema = "moodledb.certificate-check/1"

type checkJSON struct {
	Schema   string       `json:"schema"`
	State    string       `json:"state"`
	Tool     string       `json:"tool"`
	Started  string       `json:"started"`
	Seconds  float64      `json:"seconds"`
	File     string       `json:"file"`
	Altered  bool         `json:"altered"`
	Digest   string       `json:"digest"`
	Computed string       `json:"computed_digest"`
	Past     pastJSON     `json:"certificate"`
	Sides    []rereadSide `json:"sides"`
}

type pastJSON struct {
	State    string    `json:"state"`
	Tool     string    `json:"tool"`
	Started  string    `json:"started"`
	Expected verifyEnd `json:"expected"`
	Found    verifyEnd `json:"found"`
	Tables   int       `json:"tables"`
}

type rereadSide struct {
	Side    string        `json:"side"`
	State   string        `json:"state"`
	End     verifyEnd     `json:"end"`
	Tables  []rereadTable `json:"tables"`
	Notices []string      `json:"notices"`
}

type rereadTable struct {
	Name    string  `json:"name"`
	State   string  `json:"state"`
	Problem string  `json:"problem"`
	Then    sumJSON `json:"then"`
	Now     sumJSON `json:"now"`
	Bytes   int64   `json:"bytes"`
}

// CertificateCheck writes what came out when a certificate was checked.
func CertificateCheck(w io.Writer, file string, c *CertificateFile, r *proof.Rereading, format Format) error {
	switch format {
	case Text, "":
		return checkText(w, file, c, r)
	case JSON:
		return writeJSON(w, checkDocument(file, c, r))
	default:
		return fmt.Errorf("write the check of a certificate: %q is no output format for it: use text or json", format)
	}
}

// CheckState is the outcome of a check: an altered certificate is a difference.
func CheckState(c *CertificateFile, r *proof.Rereading) verify.State {
	if c.Altered() {
		return verify.Different
	}
	return r.State
}

func checkDocument(file string, c *CertificateFile, r *proof.Rereading) checkJSON {
	return checkJSON{
		Schema: checkSchema, State: string(CheckState(c, r)), Tool: r.Tool, Started: r.Started.UTC().Format(time.RFC3339), Seconds: seconds(r.Elapsed),
		File: file, Altered: c.Altered(), Digest: c.Digest, Computed: c.Computed,
		Past: pastJSON{
			State: string(r.Past.State), Tool: r.Past.Tool, Started: r.Past.Started.UTC().Format(time.RFC3339),
			Expected: verifyEndDocument(r.Past.Expected), Found: verifyEndDocument(r.Past.Found), Tables: len(r.Past.Tables),
		},
		Sides: list(r.Sides, func(s proof.RereadSide) rereadSide {
			return rereadSide{
				Side: string(s.Side), State: string(s.State), End: verifyEndDocument(s.End), Notices: list(s.Notices, same),
				Tables: list(s.Tables, func(t proof.RereadTable) rereadTable {
					return rereadTable{
						Name: t.Table, State: string(t.State), Problem: t.Problem, Then: sumDocument(t.Then), Now: sumDocument(t.Now), Bytes: t.Bytes,
					}
				}),
			}
		}),
	}
}

func checkText(w io.Writer, file string, c *CertificateFile, r *proof.Rereading) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", printable(checkVerdict(c, r)))
	writeFacts(&b, []fact{
		{"certificate", fmt.Sprintf("%s, of %s by moodledb %s", file, momentText(r.Past.Started)+" UTC", r.Past.Tool)},
		{"it says", verifyVerdict(r.Past)},
		{"expected", proofEnd(r.Past.Expected)},
		{"found", proofEnd(r.Past.Found)},
		{"digest", digestText(c)},
	})
	for i := range r.Sides {
		writeReread(&b, &r.Sides[i])
	}
	_, err := io.WriteString(w, withoutCommands(b.String()))
	return err
}

func digestText(c *CertificateFile) string {
	if c.Altered() {
		return fmt.Sprintf("%s, but the contents have %s", c.Digest, c.Computed)
	}
	return c.Digest + ", which the contents have"
}

func checkVerdict(c *CertificateFile, r *proof.Rereading) string {
	switch {
	case c.Altered():
		return "Different: the certificate is not as it was written, so nothing that it says can be relied on."
	case len(r.Sides) == 0:
		return "Same: the certificate is as it was written. No database was read: give --from, --to or both."
	case r.State == verify.Same:
		return "Same: the rows are those that the certificate speaks of."
	case r.State == verify.Different:
		return "Different: there are other rows than those that the certificate speaks of."
	default:
		return "Could not tell: not every table could be read again."
	}
}

// writeReread tells of one side that was read again.
func writeReread(b *strings.Builder, s *proof.RereadSide) {
	heading(b, "The "+string(s.Side)+" side, read again")
	var same, rows, bytes int64
	t := newTable([]string{"table", "outcome", "rows then", "rows now", "fingerprint then", "fingerprint now"}, "rows then", "rows now")
	for i := range s.Tables {
		x := &s.Tables[i]
		rows, bytes = rows+x.Now.Rows, bytes+x.Bytes
		switch x.State {
		case verify.Same:
			same++
		case verify.Different:
			t.AppendRow(table.Row{
				printable(x.Table), outcomeText("different", x.Problem), countText(x.Then.Rows), countText(x.Now.Rows), x.Then.Hash.String(), x.Now.Hash.String(),
			})
		default:
			t.AppendRow(table.Row{printable(x.Table), outcomeText("unknown", x.Problem), countText(x.Then.Rows), "", x.Then.Hash.String(), ""})
		}
	}
	writeFacts(b, []fact{
		{"database", proofEnd(s.End)},
		{"as of", asOf(s.End)},
		{"tables", fmt.Sprintf("%s of %s as certified", countText(same), countText(int64(len(s.Tables))))},
		{"read", fmt.Sprintf("%s, %s", plural(rows, "row"), sizeText(bytes))},
	})
	for _, n := range s.Notices {
		fmt.Fprintf(b, "notice: %s\n", printable(n))
	}
	if int(same) < len(s.Tables) {
		b.WriteString("\n" + t.Render() + "\n")
	}
}

func outcomeText(outcome, problem string) string {
	if problem == "" {
		return outcome
	}
	return outcome + ": " + oneLine(problem)
}
