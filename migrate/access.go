package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/mysql"
)

// checkAccess looks whether the source lets everything be read that is to be
// migrated: what the user may not see would be missing without a word.
func (m *maker) checkAccess(ctx context.Context) (mysql.Access, error) {
	access, err := m.source.Access(ctx, m.live)
	if err != nil {
		return access, err
	}
	grant := fmt.Sprintf("let an administrator run: GRANT SELECT ON %s.* TO the account %s",
		mysql.QuoteIdent(m.plan.Source.Database), access.Account)
	for i := range m.site.Tables {
		if name := m.site.Tables[i].Name; slices.Contains(access.Denied, name) {
			m.find(Finding{
				Code: "source-no-select", Severity: Blocker, Table: name,
				Message: fmt.Sprintf("the account %s may not read table %q of the source", access.Account, name), Hint: grant,
			})
		}
	}
	if !access.Whole {
		m.find(Finding{
			Code: "source-rights-partial", Severity: Warning, Object: access.Account,
			Message: fmt.Sprintf("the account %s has rights on single tables only; tables that it has none on cannot be seen, and would be missing", access.Account),
			Hint:    grant,
		})
	}
	return access, nil
}
