package convert

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// FindPrefix finds the prefix of the one site in live: every Moodle and Totara
// site has the tables config and config_plugins (the latter since Moodle 1.9).
func FindPrefix(live *schema.Schema) (string, error) {
	var found []string
	for i := range live.Tables {
		t := &live.Tables[i]
		prefix, ok := strings.CutSuffix(t.Name, "config_plugins")
		if !ok || t.Column("plugin") == nil || t.Column("name") == nil || t.Column("value") == nil {
			continue
		}
		if c := live.Table(prefix + "config"); c != nil && c.Column("name") != nil && c.Column("value") != nil {
			found = append(found, prefix)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%s holds no Moodle site: there is no pair of tables config and config_plugins; "+
			"check its name, or name the tables' prefix", whole(live))
	default:
		quoted := make([]string, len(found))
		for i, p := range found {
			quoted[i] = fmt.Sprintf("%q", p)
		}
		return "", fmt.Errorf("%s holds %d sites, with the prefixes %s: name the prefix of the one that is meant",
			whole(live), len(found), strings.Join(quoted, ", "))
	}
}

// whole names what a schema was read from.
func whole(s *schema.Schema) string {
	switch {
	case s.Name == "":
		return "it"
	case s.Engine == schema.Postgres:
		return fmt.Sprintf("schema %q", s.Name)
	default:
		return fmt.Sprintf("database %q", s.Name)
	}
}
