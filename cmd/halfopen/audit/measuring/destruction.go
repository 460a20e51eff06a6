package measuring

import (
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// destruction knows which sockets of a host are gone.
type destruction struct {
	source *sock.Destroyed

	mu    sync.Mutex
	gone  map[[2]uint16]time.Time // by local and remote port
	fresh chan struct{}           // closed when there are more, and replaced
}

func watchDestruction(h *harness.Host) (*destruction, error) {
	d := &destruction{gone: map[[2]uint16]time.Time{}, fresh: make(chan struct{})}
	err := h.Do(func() (err error) { d.source, err = sock.OpenDestroyed(); return err })
	if err != nil {
		return nil, err
	}
	go d.read()
	return d, nil
}

func (d *destruction) read() {
	for {
		entries, at, err := d.source.Next()
		if err != nil {
			return
		}
		d.mu.Lock()
		for _, e := range entries {
			key := [2]uint16{e.Local.Port(), e.Remote.Port()}
			if _, known := d.gone[key]; !known {
				d.gone[key] = at
			}
		}
		close(d.fresh)
		d.fresh = make(chan struct{})
		d.mu.Unlock()
	}
}

// of is when a socket was gone; the zero time while it is not.
func (d *destruction) of(local, remote uint16) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gone[[2]uint16{local, remote}]
}

func (d *destruction) news() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fresh
}

func (d *destruction) close() { _ = d.source.Close() }
