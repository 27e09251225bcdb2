package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
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

// checkLedger looks whether the run can be recorded at the target: without its
// ledger nothing could be resumed.
func (m *maker) checkLedger(ctx context.Context) error {
	server, name := m.target.Server(), postgres.HomeSchema
	user := postgres.QuoteIdent(server.User)
	ledger, err := m.target.LedgerAccess(ctx)
	if err != nil {
		return err
	}
	home, err := m.target.SchemaState(ctx, name)
	if err != nil {
		return err
	}
	f := Finding{Code: "ledger-no-right", Severity: Blocker, Object: name}
	switch {
	case ledger.Exists && !ledger.Owned:
		f.Message = fmt.Sprintf("the ledger of runs in schema %q belongs to the role %q, and %q may not write to it", name, ledger.Owner, server.User)
		f.Hint = fmt.Sprintf("connect as %q, or let an administrator run: GRANT %s TO %s", ledger.Owner, postgres.QuoteIdent(ledger.Owner), user)
	case ledger.Exists:
		return nil
	case home.Exists && !home.CanUse:
		f.Message = fmt.Sprintf("the role %q may not create tables in the schema %q, where the run is recorded", server.User, name)
		f.Hint = fmt.Sprintf("let its owner, %q, run: GRANT USAGE, CREATE ON SCHEMA %s TO %s", home.Owner, name, user)
	case !home.Exists && !server.CanCreate:
		f.Message = fmt.Sprintf("the role %q may not create schemas in the database %q, and the run is recorded in a schema %q", server.User, server.Database, name)
		f.Hint = fmt.Sprintf("let the owner of the database, %q, run: CREATE SCHEMA %s AUTHORIZATION %s", server.DatabaseOwner, name, user)
	default:
		return nil
	}
	m.find(f)
	return nil
}
