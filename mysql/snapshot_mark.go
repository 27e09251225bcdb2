package mysql

import "context"

// Mark tells a moment of a source apart from others, so that a later snapshot
// can show that nothing was written in between. The zero value marks nothing.
// Only what is exactly the moment's own is in it.
type Mark struct {
	// Server is the identity of the server.
	Server string `json:"server,omitempty"`
	// GTID is the set of transactions, and Binlog the place in the binary log as
	// file:position; both only where all that is written goes into that log.
	GTID   string `json:"gtid,omitempty"`
	Binlog string `json:"binlog,omitempty"`
	// Counter is InnoDB's next transaction number, with no writing transaction open.
	Counter string `json:"counter,omitempty"`
}

// Since is what is known of the time between two moments.
type Since string

// The answers of [Mark.Since].
const (
	// Unchanged: nothing was written at the server.
	Unchanged Since = "unchanged"
	// Changed: something was written at the server.
	Changed Since = "changed"
	// Unknown: it cannot be told.
	Unknown Since = "unknown"
)

// Since tells whether the server was written to between an earlier moment and
// this one. That the place in the binary log or InnoDB's number moved does not
// tell that it was, since a restart of the server moves them too.
func (m Mark) Since(earlier Mark) Since {
	switch {
	case m.Server == "" || m.Server != earlier.Server:
		return Unknown
	case m.GTID != "" && earlier.GTID != "":
		if m.GTID == earlier.GTID {
			return Unchanged
		}
		return Changed
	case m.Binlog != "" && m.Binlog == earlier.Binlog:
		return Unchanged
	case m.Counter != "" && m.Counter == earlier.Counter:
		return Unchanged
	}
	return Unknown
}

// mark completes the snapshot's mark, once it is known by which way its moment was had.
func (t *taking) mark(ctx context.Context) error {
	s := t.snapshot
	if !s.Consistent || s.Method == OneReader {
		s.Mark = Mark{}
		return nil
	}
	r := s.Readers[0]
	identity := "SELECT @@GLOBAL.server_uuid"
	if t.login.mariadb {
		identity = "SELECT CONCAT_WS(':', @@GLOBAL.hostname, @@GLOBAL.port, @@GLOBAL.server_id, @@GLOBAL.datadir)"
	}
	rows, err := r.all(ctx, identity)
	if err != nil {
		return err
	}
	s.Mark.Server = rows[0][0]
	logged, err := t.logsAll(ctx)
	if err != nil || !logged {
		return err
	}
	s.Mark.Binlog = s.Position
	if t.login.mariadb || t.named {
		s.Mark.GTID = s.GTID
	}
	return nil
}
