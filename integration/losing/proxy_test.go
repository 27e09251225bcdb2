//go:build integration

package losing

import (
	"bytes"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
)

// proxy passes connections on to a server, and can disturb them as a network does.
type proxy struct {
	listener net.Listener
	backend  string
	work     sync.WaitGroup

	mu    sync.Mutex
	links map[*link]bool
	// refuse closes what connects, stalled holds all bytes back until it is closed.
	refuse  bool
	stalled chan struct{}
	// swallow is asked about what a client sends. When it says so, the bytes
	// reach the server, but the client loses its connection before the answer.
	swallow func(sent []byte) bool
	cuts    int
}

// link is one connection through a proxy.
type link struct{ client, server *net.TCPConn }

// reset ends both ends as a network that fails does.
func (l *link) reset() {
	for _, c := range []*net.TCPConn{l.client, l.server} {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// through starts a proxy in front of a server.
func through(t *testing.T, s *testdb.Server) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, backend: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), links: map[*link]bool{}}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.heal()
		p.cut()
		p.work.Wait()
	})
	return p
}

// url is the URL of a database of the server that goes through the proxy.
func (p *proxy) url(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

// heal ends all disturbances.
func (p *proxy) heal() {
	p.flow()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.swallow, p.cuts = false, nil, 0
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		client := c.(*net.TCPConn)
		server, err := net.Dial("tcp", p.backend)
		p.mu.Lock()
		if err != nil || p.refuse {
			_ = client.SetLinger(0)
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			p.mu.Unlock()
			continue
		}
		l := &link{client: client, server: server.(*net.TCPConn)}
		p.links[l] = true
		p.mu.Unlock()
		p.work.Go(func() { p.pump(l, l.server, l.client, false) })
		p.work.Go(func() { p.pump(l, l.client, l.server, true) })
	}
}

// pump passes bytes on in one direction.
func (p *proxy) pump(l *link, from, to *net.TCPConn, up bool) {
	defer func() {
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
		_ = from.Close()
		_ = to.Close()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		stalled, swallow := p.stalled, p.swallow
		p.mu.Unlock()
		if stalled != nil {
			<-stalled
		}
		if n > 0 {
			if up && swallow != nil && swallow(buffer[:n]) {
				p.mu.Lock()
				p.cuts++
				p.mu.Unlock()
				// The answer is not passed on, but the server has the time to give it.
				_ = l.client.SetLinger(0)
				_ = l.client.Close()
				_, _ = to.Write(buffer[:n])
				time.Sleep(50 * time.Millisecond)
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends all connections that are there.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// down cuts all connections and lets no other be made; up takes that back.
func (p *proxy) down() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = false
}

// stall holds all bytes back until flow is called.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

func (p *proxy) flow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// answers lets the client lose its connection at every n-th statement that
// holds a word, up to a number of times.
func (p *proxy) answers(word string, n, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var mu sync.Mutex
	seen, cuts := 0, 0
	p.swallow = func(sent []byte) bool {
		if !bytes.Contains(bytes.ToLower(sent), []byte(strings.ToLower(word))) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		seen++
		if seen%n != 0 || cuts == most {
			return false
		}
		cuts++
		return true
	}
}
