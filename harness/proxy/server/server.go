// Package server is toxiproxy's server, a program inside the binary that imports it
// (package reexec). Import it, by a blank import, in programs and tests whose labs have a
// proxy; package proxy starts it and talks to it.
package server

import (
	"fmt"
	"net"
	"net/http"
	"os"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/proxy/internal/control"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

func init() { reexec.Register(control.Program, func([]string) error { return serve() }) }

// serve serves toxiproxy's API on the control socket until the process that started this
// one is gone.
func serve() error {
	socket := os.NewFile(control.Descriptor, "control socket")
	defer func() { _ = socket.Close() }()
	conn, err := net.FileConn(socket)
	if err != nil {
		return fmt.Errorf("descriptor %d is not a control socket: %w: only halfopen starts this program", control.Descriptor, err)
	}
	// Some toxics ignore the server's logger and write to zerolog's global one.
	zerolog.SetGlobalLevel(zerolog.Disabled)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	only := make(listener, 1)
	only <- conn
	go func() { _ = http.Serve(only, server.Routes()) }()
	return awaitHangUp(int(socket.Fd()))
}

// awaitHangUp returns when the other end of a socket is closed. The HTTP server would not
// notice that while a handler is stuck.
func awaitHangUp(fd int) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return err
		}
	}
}

// listener is a net.Listener that accepts the one connection in it, and then waits for
// ever.
type listener chan net.Conn

func (l listener) Accept() (net.Conn, error) { return <-l, nil }
func (l listener) Close() error              { return nil }
func (l listener) Addr() net.Addr            { return &net.UnixAddr{Net: "unix"} }
