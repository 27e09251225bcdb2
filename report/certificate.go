package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// certificateSchema is the version of a certificate; see planSchema.
const certificateSchema = "moodledb.certificate/1"

// certificateJSON is what verify says, without values, and a digest of all of it.
type certificateJSON struct {
	verifyJSON
	Digest string `json:"digest"`
}

// certificateDocument masks values: a certificate is filed for years, by people
// who need not see them.
func certificateDocument(r *proof.Result) (certificateJSON, error) {
	doc := certificateJSON{verifyJSON: verifyDocument(r, true)}
	doc.Schema = certificateSchema
	var b bytes.Buffer
	if err := writeJSON(&b, doc); err != nil {
		return doc, err
	}
	var err error
	doc.Digest, err = certificateDigest(b.Bytes())
	return doc, err
}

// Certificate writes a comparison as a document to be filed: format [JSON] or
// [HTML]. The JSON can be checked later, see [ReadCertificate]; the page shows the same, and the digest of the JSON.
func Certificate(w io.Writer, r *proof.Result, format Format) error {
	r = withoutValues(r)
	doc, err := certificateDocument(r)
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	switch format {
	case JSON:
		return writeJSON(w, doc)
	case HTML:
		page := verifyPageOf(r, true)
		page.Digest = doc.Digest
		return writeVerifyPage(w, page)
	default:
		return fmt.Errorf("write certificate: %q is no output format", format)
	}
}

// certificateDigest is the SHA-256 of a document without its digest, in one
// form: members by name, and nothing between them. So neither another
// indentation nor another order changes it. The same is made by: jq -cjS 'del(.digest)' FILE | sha256sum
func certificateDigest(document []byte) (string, error) {
	var members map[string]any
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber() // numbers as they are written
	if err := dec.Decode(&members); err != nil {
		return "", err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("something follows the document")
	}
	delete(members, "digest")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(members); err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// CertificateFile is a certificate as it was read.
type CertificateFile struct {
	// Result has what the certificate says, but for the rows that differed.
	Result *proof.Result
	// Digest is the one that the file has, Computed the one that its contents have.
	Digest, Computed string
}

// Altered reports whether the file is not as it was written.
func (c *CertificateFile) Altered() bool { return c.Digest != c.Computed }

// ReadCertificate reads what [Certificate] wrote as JSON. Whether it was
// altered since is for the caller to look at; an error means that it is no certificate.
func ReadCertificate(data []byte) (*CertificateFile, error) {
	var doc certificateJSON
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("this is no certificate: %w", err)
	}
	if doc.Schema != certificateSchema {
		return nil, fmt.Errorf("this is no certificate: its schema is %q, not %q", doc.Schema, certificateSchema)
	}
	computed, err := certificateDigest(data)
	if err != nil {
		return nil, fmt.Errorf("this is no certificate: %w", err)
	}
	c := &CertificateFile{Digest: doc.Digest, Computed: computed}
	if c.Result, err = certifiedResult(&doc.verifyJSON); err != nil {
		return nil, err
	}
	return c, nil
}

// certifiedResult makes a result of a document.
func certifiedResult(doc *verifyJSON) (*proof.Result, error) {
	started, err := time.Parse(time.RFC3339, doc.Started)
	if err != nil {
		return nil, fmt.Errorf("certificate: started: %w", err)
	}
	r := &proof.Result{
		Expected: certifiedEnd(doc.Expected), Found: certifiedEnd(doc.Found), Prefix: doc.Prefix,
		Started: started, Elapsed: time.Duration(doc.Seconds * float64(time.Second)), Tool: doc.Tool,
		Scope: proof.Scope{
			Include: doc.Scope.Include, Exclude: doc.Scope.Exclude, Sample: doc.Scope.Sample, Seed: doc.Scope.Seed, SinceID: doc.Scope.SinceID,
		},
		State: verify.State(doc.State), Notices: doc.Notices,
	}
	for _, l := range doc.Left {
		r.Left = append(r.Left, proof.LeftOut{Table: l.Table, Column: l.Column, Side: proof.Side(l.Side), Reason: l.Reason, Counts: verify.State(l.State)})
	}
	for _, o := range doc.Objects {
		r.Objects = append(r.Objects, proof.ObjectDifference{
			Code: o.Code, Table: o.Table, Object: o.Object, Message: o.Message, Hint: o.Hint, State: verify.State(o.State),
		})
	}
	for _, l := range doc.Legal {
		r.Legal = append(r.Legal, proof.Legal(l))
	}
	for _, t := range doc.Repaired {
		r.Repaired = append(r.Repaired, proof.RepairedTable{Table: t.Table, Inserted: t.Inserted, Deleted: t.Deleted, Updated: t.Updated, Problem: t.Problem})
	}
	for i := range doc.Tables {
		t := &doc.Tables[i]
		table := verify.TableResult{
			Name: t.Name, State: verify.State(t.State), Problem: t.Problem, Bytes: t.Bytes, Parts: t.Parts, DifferentParts: t.DifferentParts,
			Missing: t.Missing, Extra: t.Extra, Changed: t.Changed,
		}
		if table.Expected, err = certifiedSum(t.Expected); err == nil {
			table.Found, err = certifiedSum(t.Found)
		}
		if err != nil {
			return nil, fmt.Errorf("certificate: table %q: %w", t.Name, err)
		}
		r.Tables = append(r.Tables, table)
		r.Forms = append(r.Forms, certifiedForm(t))
	}
	return r, nil
}

func certifiedEnd(e verifyEnd) proof.End {
	return proof.End{
		Engine: schema.Engine(e.Engine), Version: e.Version, Address: e.Address, Schema: e.Schema,
		Position: e.Position, Consistent: e.Consistent, How: e.How,
	}
}

func certifiedSum(s sumJSON) (fingerprint.Sum, error) {
	return fingerprint.Parse(fmt.Sprintf("%d:%s", s.Rows, s.Hash))
}

func certifiedForm(t *verifiedTable) proof.Form {
	f := proof.Form{Table: t.Name, Expected: t.ExpectedName, Found: t.FoundName}
	for _, c := range t.Columns {
		f.Columns = append(f.Columns, proof.FormColumn{Expected: c.Expected, Found: c.Found, Type: c.Type, Key: c.Key})
	}
	for _, p := range t.Ranges {
		f.Parts = append(f.Parts, verify.Part{Lower: p.Lower, Upper: p.Upper})
	}
	return f
}
