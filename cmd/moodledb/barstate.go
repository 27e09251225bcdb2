package main

import "sync"

// barState hands the text beside the total bar from the goroutine that handles
// events to the one that draws.
type barState struct {
	mu   sync.Mutex
	text string
}

func (s *barState) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

func (s *barState) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return " " + s.text
}
