package throwaway_test

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/internal/throwaway"
)

// A private PostgreSQL server from the machine's own packages, with room for
// many connections.
func ExampleStart() {
	s, err := throwaway.Start(context.Background(), throwaway.Options{
		Kind:     throwaway.Postgres,
		Settings: []string{"max_connections=500"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() {
		if err := s.Stop(); err != nil {
			fmt.Println(err)
		}
	}()
	fmt.Println("a server of version", s.Version, "listens on port", s.Port)
}
