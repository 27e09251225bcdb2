package migrate

// buildBytes is what a row costs in the building of one index, as bytes whose
// copy costs as much: measured on the log table of a Moodle site, whose rows
// are narrow and whose indexes are most of the work.
const buildBytes = 100

// BuildWork is the work of building one key or index of a table with so many
// rows, in bytes of rows whose copy takes as long. With it, copying and
// building are parts of one whole.
func BuildWork(rows int64) int64 { return buildBytes * max(rows, 0) }

// VerifyWork is the work of reading back a table of so many bytes: measured, it
// takes about half of what the copy takes, at both ends together.
func VerifyWork(bytes int64) int64 { return max(bytes, 0) / 2 }

// CopyWork is the work of copying a table of so many bytes. One of which
// nothing is known, or that is empty, counts a little all the same.
func CopyWork(bytes int64) int64 { return max(bytes, 1) }
