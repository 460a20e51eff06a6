package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
)

// Route is an address on which toxiproxy listens, and the address to which it forwards.
// Make one with Proxy.Forward; it ends with the Proxy. It is safe for concurrent use.
//
// There are two ways to change a route's toxics. Add and Remove end the route's
// connections first, which is safe. AddLive and RemoveLive change the toxics of live
// connections, which can deadlock toxiproxy.
type Route struct {
	proxy    *Proxy
	name     string
	listen   string // once the route was enabled, with the port that the kernel chose
	upstream string
	enabled  bool
	toxics   []message
}

// names matches what needs no quotes in a URL and in a shell command.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Forward makes toxiproxy listen on one address and forward each connection to another:
// "192.0.2.1:3868" or "[2001:db8::1]:3868", no host names. If the port of listen is 0, the
// kernel chooses a free one: see Route.Address. The error is unix.EADDRINUSE or
// unix.EADDRNOTAVAIL if toxiproxy cannot listen there.
//
// Toxiproxy accepts a client before it connects to the upstream: if the upstream refuses,
// the client sees an orderly close. If the upstream does not answer, toxiproxy waits for
// 127 s, or less with a lower tcp_syn_retries. In the meantime it accepts no connection on
// the route, and the route cannot be changed.
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
		_ = r.delete() // err has the reason
		return err
	}
	return nil
}

// Address returns the address on which the route listens, with the port that the kernel
// chose if Forward was given port 0.
func (r *Route) Address() netip.AddrPort {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	address, _ := netip.ParseAddrPort(r.listen) // Forward has checked it
	return address
}

// Command returns the shell command that makes such a route by hand.
func (r *Route) Command() string {
	return fmt.Sprintf("toxiproxy-cli create --listen %v --upstream %s %s", r.Address(), r.upstream, r.name)
}

// Enable makes the route listen again. It does nothing if the route is enabled.
func (r *Route) Enable() error {
	return r.change("enabling", func() error { return r.enable(true) })
}

// Disable closes the route's listener and its connections. New clients get ECONNREFUSED.
// Both ends of a connection get FIN, or RST if toxiproxy had not read their data. It does
// nothing if the route is disabled.
func (r *Route) Disable() error {
	return r.change("disabling", func() error { return r.enable(false) })
}

// Add adds a toxic to the route, after its other toxics. It is safe: it ends the route's
// connections as Disable does, adds the toxic, and listens again unless the route was
// disabled. A route has at most one toxic of a type and stream.
func (r *Route) Add(t Toxic) error {
	return r.changeToxic("adding", t, func(m message) error {
		if r.has(m) {
			return fmt.Errorf("it is there already: Remove it first")
		}
		return r.replace(append(slices.Clone(r.toxics), m))
	})
}

// Remove removes the toxic of that type and stream. It is safe, as Add is.
func (r *Route) Remove(t Toxic) error {
	return r.changeToxic("removing", t, func(m message) error {
		if !r.has(m) {
			return errNotThere
		}
		return r.replace(r.without(m))
	})
}

// AddLive adds a toxic to the route and to its live connections. Toxiproxy regards a
// connection as live a little after both ends do, and at the latest when the server's first
// byte has come through. Only ResetPeer tells the difference.
//
// Toxiproxy 2.12.0 deadlocks when it adds a toxic to a connection whose receiver does not
// read the data that waits for it. Each change of a route may therefore take 5 s; then
// toxiproxy is killed, its connections end, and the error says so. Keep the receiver
// reading, or use Add.
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

// RemoveLive removes the toxic of that type and stream from the route and from its live
// connections. The comment of each toxic says what that does to them. It can deadlock
// toxiproxy, as AddLive can.
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

// replace deletes the route and creates it again with these toxics. Disabling it would not
// be enough: toxiproxy answers before it has closed the connections, and a change would
// wait for their toxics, such as a ResetPeer whose reset is due later.
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

// create creates the route disabled, so that it has its toxics before its first connection.
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
