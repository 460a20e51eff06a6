package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
)

// Route is an address on which toxiproxy listens and the one to which it forwards.
// Make one with Proxy.Forward; it lives as long as the Proxy. Its methods may be
// called from any goroutine.
//
// Toxics change in one of two ways. Add and Remove end the route's connections and
// then change its toxics: nothing can go wrong. AddLive and RemoveLive change them
// under live connections, which can deadlock toxiproxy.
type Route struct {
	proxy    *Proxy
	name     string
	listen   string // with the true port once it was enabled
	upstream string
	enabled  bool
	toxics   []message
}

// names are what can stand in a URL and in a shell command as it is.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Forward makes toxiproxy listen on one address and forward each connection to
// another: "192.0.2.1:3868" or "[2001:db8::1]:3868", no host names. Port 0 of
// listen is a free port, see Route.Address. The error is unix.EADDRINUSE or
// unix.EADDRNOTAVAIL where the address cannot be had. Toxiproxy accepts a client
// before it dials the upstream, so that a refused upstream looks like an orderly
// close to the client; and while it dials an upstream that does not answer, for
// 127 s unless tcp_syn_retries is lower, it accepts nobody and the route cannot be
// changed.
func (p *Proxy) Forward(name, listen, upstream string) (*Route, error) {
	r := &Route{proxy: p, name: name, listen: listen, upstream: upstream}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("forwarding %s to %s (route %q): %w", listen, upstream, name, err)
	}
	return r, nil
}

func (r *Route) open() error {
	if !names.MatchString(r.name) {
		return fmt.Errorf("a route's name is letters, digits and any of _.- after the first")
	}
	if _, err := netip.ParseAddrPort(r.listen); err != nil {
		return fmt.Errorf("the listening address: %w", err)
	}
	to, err := netip.ParseAddrPort(r.upstream)
	if err != nil {
		return fmt.Errorf("the upstream address: %w", err)
	}
	if to.Port() == 0 {
		return fmt.Errorf("the upstream address %v has no port", to)
	}
	if err := r.create(); err != nil {
		return err
	}
	if err := r.enable(true); err != nil {
		_ = r.delete() // the reason is in err
		return err
	}
	return nil
}

// Address is where the route listens, with the true port.
func (r *Route) Address() netip.AddrPort {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	address, _ := netip.ParseAddrPort(r.listen) // Forward and the kernel made sure
	return address
}

// Command is the shell command that makes such a route by hand.
func (r *Route) Command() string {
	return fmt.Sprintf("toxiproxy-cli create --listen %v --upstream %s %s", r.Address(), r.upstream, r.name)
}

// Enable makes the route listen again. Enabling twice does nothing.
func (r *Route) Enable() error {
	return r.change("enabling", func() error { return r.enable(true) })
}

// Disable closes the listener, so that a new client gets ECONNREFUSED, and every
// connection of the route: FIN to both ends, RST to one whose data toxiproxy had
// not read. Disabling twice does nothing.
func (r *Route) Disable() error {
	return r.change("disabling", func() error { return r.enable(false) })
}

// Add puts a toxic on the route, after those that it has, in the safe order: it
// ends the route's connections as Disable does, adds the toxic, and listens again
// unless the route was disabled. There is at most one toxic of a type and stream.
func (r *Route) Add(t Toxic) error {
	return r.changeToxic("adding", t, func(m message) error {
		if r.has(m) {
			return fmt.Errorf("it is there already: Remove it first")
		}
		return r.replace(append(slices.Clone(r.toxics), m))
	})
}

// Remove takes the toxic of that type and stream away, in the same safe order as
// Add.
func (r *Route) Remove(t Toxic) error {
	return r.changeToxic("removing", t, func(m message) error {
		if !r.has(m) {
			return errNotThere
		}
		return r.replace(r.without(m))
	})
}

// AddLive puts a toxic on the route and on its live connections. A connection that
// both ends have open is live for toxiproxy some time later, and surely when the
// server's first byte has come through: only ResetPeer makes a difference.
//
// Toxiproxy 2.12.0 deadlocks for good when it adds a toxic to a connection whose
// receiver does not read while data waits for it. So every change of a route is
// given 5 s: when they are over toxiproxy is killed, its connections with it, and
// the error says so. Keep the receiver reading, or use Add.
func (r *Route) AddLive(t Toxic) error {
	return r.changeToxic("adding live", t, func(m message) error {
		if r.has(m) {
			return fmt.Errorf("it is there already: RemoveLive it first")
		}
		if err := r.proxy.call(http.MethodPost, r.path()+"/toxics", m, nil); err != nil {
			return err
		}
		r.toxics = append(r.toxics, m)
		return nil
	})
}

// RemoveLive takes the toxic of that type and stream away from the route and its
// live connections. What that does to them is told with each toxic. It can
// deadlock as AddLive can.
func (r *Route) RemoveLive(t Toxic) error {
	return r.changeToxic("removing live", t, func(m message) error {
		if !r.has(m) {
			return errNotThere
		}
		if err := r.proxy.call(http.MethodDelete, r.path()+"/toxics/"+m.Name, nil, nil); err != nil {
			return err
		}
		r.toxics = r.without(m)
		return nil
	})
}

var errNotThere = fmt.Errorf("there is no toxic of that type and stream")

func (r *Route) change(doing string, f func() error) error {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	if err := f(); err != nil {
		return fmt.Errorf("%s route %s: %w", doing, r.name, err)
	}
	return nil
}

func (r *Route) changeToxic(doing string, t Toxic, f func(message) error) error {
	m, err := t.message()
	return r.change(doing+" toxic "+m.Name+" of", func() error {
		if err != nil {
			return err
		}
		return f(m)
	})
}

func (r *Route) has(m message) bool { return len(r.without(m)) < len(r.toxics) }

func (r *Route) without(m message) []message {
	return slices.DeleteFunc(slices.Clone(r.toxics), func(other message) bool { return other.Name == m.Name })
}

// replace makes the route anew with these toxics. To disable it and keep it would
// not do: toxiproxy answers before it has taken the connections apart, and a change
// still waits for the toxics of each, such as a ResetPeer whose reset is due later.
func (r *Route) replace(toxics []message) error {
	enabled := r.enabled
	if err := r.delete(); err != nil {
		return err
	}
	r.enabled, r.toxics = false, nil
	if err := r.create(); err != nil {
		return err
	}
	for _, m := range toxics {
		if err := r.proxy.call(http.MethodPost, r.path()+"/toxics", m, nil); err != nil {
			return err
		}
		r.toxics = append(r.toxics, m)
	}
	if !enabled {
		return nil
	}
	return r.enable(true)
}

func (r *Route) path() string { return "/proxies/" + r.name }

// create makes the route disabled: no connection can slip in before its toxics.
func (r *Route) create() error {
	return r.proxy.call(http.MethodPost, "/proxies", map[string]any{
		"name": r.name, "listen": r.listen, "upstream": r.upstream, "enabled": false,
	}, nil)
}

func (r *Route) delete() error {
	return r.proxy.call(http.MethodDelete, r.path(), nil, nil)
}

func (r *Route) enable(enabled bool) error {
	var answer struct {
		Listen string `json:"listen"`
	}
	err := r.proxy.call(http.MethodPatch, r.path(), map[string]any{"enabled": enabled}, &answer)
	if err != nil {
		return err
	}
	r.listen, r.enabled = answer.Listen, enabled
	return nil
}
