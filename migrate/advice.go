package migrate

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// The estimated sizes from which settings of the target are worth a word, in bytes.
const (
	adviseWALSize  = 1 << 30
	adviseWALLevel = 10 << 30
)

// mostWAL is the highest max_wal_size that is advised: more only makes a crash take longer to recover.
const mostWAL = 32 << 30

// advise says which settings of the target would make a large load faster.
// None of them is changed: they are the whole server's.
func (m *maker) advise() {
	_, bytes := m.plan.Estimate()
	server := m.target.Server()
	if !server.LZ4 {
		m.find(Finding{
			Code: "advice-lz4", Severity: Info,
			Message: "the target's server cannot compress values with lz4, which took a third of the time of its own method where texts are long (measured)",
			Hint:    "use a server that is built --with-lz4, as those of the distributions and of postgresql.org are",
		})
	}
	// What is loaded is written to the log once, and the indexes about as much again.
	if wanted := min(2*bytes, mostWAL); bytes >= adviseWALSize && server.MaxWAL < wanted {
		size := humanize.IBytes(uint64(wanted))
		m.find(Finding{
			Code: "advice-max-wal-size", Severity: Info, Object: "max_wal_size",
			Message: fmt.Sprintf("about %s will be written to the target's log, and max_wal_size is %s: it will write checkpoints all the time",
				humanize.IBytes(uint64(2*bytes)), humanize.IBytes(uint64(server.MaxWAL))),
			Hint: fmt.Sprintf("where the disk has room for %s: ALTER SYSTEM SET max_wal_size = '%dMB', ALTER SYSTEM SET checkpoint_timeout = '30min', "+
				"SELECT pg_reload_conf(); afterwards ALTER SYSTEM RESET both", size, wanted>>20),
		})
	}
	if bytes >= adviseWALLevel && server.WALLevel != "minimal" {
		m.find(Finding{
			Code: "advice-wal-level", Severity: Info, Object: "wal_level",
			Message: fmt.Sprintf("wal_level is %s: every row goes through the log", server.WALLevel),
			Hint: "nothing, where the server has a standby, is archived, or will be soon; on a server of its own, wal_level = minimal with max_wal_senders = 0 " +
				"(a restart) spares up to a fifth of its work on tables that are copied as a whole (measured); set it back afterwards",
		})
	}
}
