package main

import (
	"maps"
	"slices"
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// tableTrack is how far a table is.
type tableTrack struct {
	name                        string
	copies                      bool
	expectedRows, expectedBytes int64
	// rows and bytes are in the target.
	rows, bytes           int64
	started, copied, done bool
	// indexes are to be built, built of them are; building are those that are
	// under way, and since when.
	indexes, built int
	building       map[string]time.Time
	// verifies is set when the table is read back, verified when that is done;
	// read are the bytes that were.
	verifies, verified bool
	read               int64
}

func newTableTrack(t *migrate.Table, verifies bool) *tableTrack {
	return &tableTrack{
		name: t.Target, copies: t.Copy, expectedRows: t.Rows, expectedBytes: t.Bytes, verifies: t.Copy && verifies,
		indexes: len(t.After), building: map[string]time.Time{},
	}
}

// copyWork is the work of the copy: what is done of what is expected. A table
// that is copied counts with what was expected of it, so that a wrong estimate
// of one table does not spoil the whole.
func (t *tableTrack) copyWork() (done, total int64) {
	if !t.copies {
		return 0, 0
	}
	total = migrate.CopyWork(t.expectedBytes)
	if t.copied {
		return total, total
	}
	return min(t.bytes, total), total
}

// buildWork is the work of the index builds. Nobody tells how far a build is;
// one that is under way counts with what builds have done so far in that time.
func (t *tableTrack) buildWork(now time.Time, speed float64) (done, total int64) {
	one := t.indexWork()
	done, total = int64(t.built)*one, int64(t.indexes)*one
	for _, since := range t.building {
		done += min(int64(now.Sub(since).Seconds()*speed), one*buildMost/100)
	}
	return min(done, total), total
}

// buildMost is how much of a build that is under way can count as done, in percent.
const buildMost = 95

// indexWork is the work of one index.
func (t *tableTrack) indexWork() int64 {
	if !t.copies {
		return 0 // it stays empty
	}
	return migrate.BuildWork(t.expectedRows)
}

// verifyWork is the work of the reading back.
func (t *tableTrack) verifyWork() (done, total int64) {
	if !t.verifies {
		return 0, 0
	}
	total = migrate.VerifyWork(t.expectedBytes)
	if t.verified {
		return total, total
	}
	return min(migrate.VerifyWork(t.read), total), total
}

// isReading reports whether a part of the table is read back.
func (t *tableTrack) isReading() bool { return t.read > 0 && !t.verified }

// isWorking reports whether something is done for the table just now.
func (t *tableTrack) isWorking() bool {
	return len(t.building) > 0 || t.started && !t.copied || t.isReading()
}

func (t *tableTrack) working() report.WorkingTable {
	return report.WorkingTable{
		Table: t.name, Rows: t.rows, Bytes: t.bytes, ExpectedRows: t.expectedRows, ExpectedBytes: t.expectedBytes,
		Copied: t.copied, Reading: t.isReading(), Building: slices.Sorted(maps.Keys(t.building)),
	}
}
