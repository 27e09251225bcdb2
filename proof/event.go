package proof

import "github.com/moodledb/moodledb/verify"

// Event is one of Step, Notice, Planned and Rows. Events come one at a time;
// whoever is told must return soon.
type Event interface{ event() }

// Step is sent when a step begins, such as "read both schemas".
type Step struct{ Name string }

// Notice is something that a person should know at once.
type Notice struct{ Message string }

// Planned is sent once it is known what will be compared. Rows and Bytes are
// estimates of one side, and of what will be read of it.
type Planned struct {
	Tables      int
	Rows, Bytes int64
}

// Rows is what package verify tells while rows are compared.
type Rows struct{ Event verify.Event }

func (Step) event()    {}
func (Notice) event()  {}
func (Planned) event() {}
func (Rows) event()    {}
