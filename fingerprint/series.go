package fingerprint

import (
	"errors"
	"fmt"
)

// Series takes several COPY BINARY, one right after the other, as an [io.Writer],
// in pieces of any size. So the rows of many small tables need one round trip.
type Series struct {
	streams []*Stream
	at      int
}

// NewSeries returns a series of streams in their order.
func NewSeries(streams ...*Stream) *Series { return &Series{streams: streams} }

// Write takes the next bytes.
func (s *Series) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if s.at == len(s.streams) {
			return 0, errors.New("something follows the end of the last rows")
		}
		var err error
		if rest, err = s.streams[s.at].feed(rest); err != nil {
			return 0, err
		}
		if s.streams[s.at].phase == atEnd {
			s.at++
		}
	}
	return len(p), nil
}

// End returns an error unless all streams were complete.
func (s *Series) End() error {
	if s.at == len(s.streams) {
		return nil
	}
	if err := s.streams[s.at].End(); err != nil {
		return err
	}
	return fmt.Errorf("%d of %d results came", s.at, len(s.streams))
}
