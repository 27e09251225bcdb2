package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// postgresSide reads PostgreSQL, by sessions that see one moment. It is a [verify.Side].
type postgresSide struct {
	snapshot *postgres.Snapshot
	db       *database
	tables   map[string]*half
	keys     map[string]string
}

// newPostgresSide takes a snapshot for the tables of the pairs.
func newPostgresSide(ctx context.Context, db *database, pairs []*pair, o Options) (*postgresSide, error) {
	s := &postgresSide{db: db, tables: map[string]*half{}, keys: map[string]string{}}
	for _, p := range pairs {
		s.tables[p.Name], s.keys[p.Name] = p.half(db.side), p.keyOf(db.side)
	}
	var err error
	if s.snapshot, err = db.postgres.Snapshot(ctx, o.Jobs); err != nil {
		return nil, fmt.Errorf("the %s side: %w", db.side, err)
	}
	db.end.Position = strings.TrimSpace("LSN " + s.snapshot.Position + " snapshot " + s.snapshot.Seen)
	db.end.Consistent = true
	db.end.How = fmt.Sprintf("one snapshot, which was exported to all %d sessions", o.Jobs)
	if db.postgres.Server().Standby {
		db.end.How += "; the server is a standby, and was read as far as it had followed its primary"
	}
	return s, nil
}

// Stream implements [verify.Side].
func (s *postgresSide) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	h := s.tables[t.Name]
	if h == nil {
		return fmt.Errorf("table %q was not asked for", t.Name)
	}
	err := s.snapshot.CopyTo(ctx, s.statement(h, where(postgres.QuoteIdent(s.keys[t.Name]), p)), w)
	if postgres.IsLost(err) {
		return &verify.AgainError{Err: err}
	}
	return s.hinted(h.table, err)
}

// statement is the COPY of some rows of a table.
func (s *postgresSide) statement(h *half, where string) string {
	plain := where == "" && !h.table.Partitioned && !s.db.inherited[h.table.Name]
	var expressions []string
	for _, f := range h.fields {
		expressions = append(expressions, f.expression)
		c := h.table.Column(f.column)
		plain = plain && f.expression == postgres.QuoteIdent(f.column) && c != nil && c.Generated == schema.NotGenerated
	}
	list, from := strings.Join(expressions, ", "), postgres.QuoteIdent(s.db.schema.Name)+"."+postgres.QuoteIdent(h.table.Name)
	if plain {
		return "COPY " + from + " (" + list + ") TO STDOUT (FORMAT binary)"
	}
	query := "SELECT " + list + " FROM " + from
	if where != "" {
		query += " WHERE " + where
	}
	return "COPY (" + query + ") TO STDOUT (FORMAT binary)"
}

// hinted says what to do about an error of the server.
func (s *postgresSide) hinted(t *schema.Table, err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code == "42501" && t.RowSecurity:
		return fmt.Errorf("%w; row level security hides rows: let an administrator run: ALTER ROLE %s BYPASSRLS", err,
			postgres.QuoteIdent(s.db.postgres.Server().User))
	case e.Code == "42501":
		return fmt.Errorf("%w; let the owner run: %s", err, s.db.grant(t.Name))
	case e.Code == "40001" && s.db.postgres.Server().Standby:
		return fmt.Errorf("%w; a standby ends what is in the way of its primary's changes: set hot_standby_feedback = on, or raise max_standby_streaming_delay there", err)
	}
	if hint, ok := postgres.Hint(err); ok {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

// close ends the transactions.
func (s *postgresSide) close() error {
	s.snapshot.Close()
	return nil
}
