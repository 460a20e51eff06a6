package trace

import (
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Destroyed knows which TCP sockets of a network namespace are gone: no descriptor and no
// kernel timer has them any more. It is safe for concurrent use.
type Destroyed struct {
	source *sock.Destroyed

	mu   sync.Mutex
	gone map[[2]uint16][]time.Time // by local and remote port, in order
	news chan struct{}             // closed when there are more, and replaced
}

// WatchDestroyed begins to watch the current network namespace (harness.Host.Do), until
// Close.
func WatchDestroyed() (*Destroyed, error) {
	source, err := sock.OpenDestroyed()
	if err != nil {
		return nil, err
	}
	d := &Destroyed{source: source, gone: map[[2]uint16][]time.Time{}, news: make(chan struct{})}
	go d.read()
	return d, nil
}

func (d *Destroyed) read() {
	for {
		entries, at, err := d.source.Next()
		if err != nil {
			return // it was closed
		}
		d.mu.Lock()
		for _, e := range entries {
			ports := [2]uint16{e.Local.Port(), e.Remote.Port()}
			d.gone[ports] = append(d.gone[ports], at)
		}
		close(d.news)
		d.news = make(chan struct{})
		d.mu.Unlock()
	}
}

// Since returns when the first socket with these ports was gone that was there at an instant;
// the zero time while none is.
func (d *Destroyed) Since(local, remote uint16, there time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.gone[[2]uint16{local, remote}] {
		if at.After(there) {
			return at
		}
	}
	return time.Time{}
}

// News returns a channel that is closed when more sockets are gone. Ask for it before Since,
// and no socket is missed.
func (d *Destroyed) News() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

// Close ends the watch.
func (d *Destroyed) Close() error { return d.source.Close() }
