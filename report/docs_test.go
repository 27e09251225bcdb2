package report

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The contract is what docs/json.md says, so no field may be missing there.
func TestEveryFieldIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []any{
		planJSON{},
		resultJSON{},
		versionJSON{},
		diffJSON{},
		verifyJSON{},
		certificateJSON{},
		checkJSON{},
		statusJSON{},
		progressJSON{},
		runStartedJSON{},
		stepStartedJSON{},
		stepDoneJSON{},
		tableResumedJSON{},
		tableStartedJSON{},
		tableCopiedJSON{},
		indexStartedJSON{},
		indexBuiltJSON{},
		tableDoneJSON{},
		retryingJSON{},
		readerLostJSON{},
		noticeEventJSON{},
		foundJSON{},
		endedJSON{},
		plannedJSON{},
		tableComparedJSON{},
	} {
		for _, name := range fieldNames(reflect.TypeOf(document)) {
			if !strings.Contains(string(page), fmt.Sprintf("`%s`", name)) {
				t.Errorf("docs/json.md does not explain the field %q of %T", name, document)
			}
		}
	}
	for _, version := range []string{planSchema, resultSchema, versionSchema, diffSchema, statusSchema, progressSchema, verifySchema, certificateSchema, checkSchema} {
		if !strings.Contains(string(page), "## `"+version+"`") {
			t.Errorf("docs/json.md has no section about %s", version)
		}
	}
}

// The example of a change is one of those in the golden file.
func TestTheExampleIsReal(t *testing.T) {
	page, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/diff.json")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	block, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("docs/json.md has no example")
	}
	example := strings.ReplaceAll(block, "\n", "\n    ")
	if !strings.Contains(string(golden), example) {
		t.Errorf("no change in testdata/diff.json is\n%s", example)
	}
}

// fieldNames returns the JSON names of the fields of a struct and of the structs in it.
func fieldNames(typ reflect.Type) []string {
	for typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.Anonymous {
			names = append(names, f.Tag.Get("json"))
		}
		names = append(names, fieldNames(f.Type)...)
	}
	return names
}
