package harness

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// PowerOff makes the host vanish: it first takes the host's links down, and then ends its programs
// and sockets, so that no FIN and no RST leaves the host. PowerOn is the reboot.
func (h *Host) PowerOff() error {
	for _, name := range h.neighbour {
		if err := h.links.Down(name); err != nil {
			return err
		}
	}
	h.abort() // or orphans would answer after the reboot
	for _, c := range h.adopted() {
		c.changed(sock.Closed)
	}
	for _, a := range h.associations {
		a.changed(sock.SCTPClosed)
	}
	return h.endPrograms()
}

// endPrograms ends the host's connections and then its programs. If a program ended first, the
// kernel would close its sockets and retransmit their FINs for minutes, even after the reboot.
func (h *Host) endPrograms() error {
	errs := []error{h.destroyConnections(true)}
	for _, p := range h.programs {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// destroyConnections makes the host's kernel forget its connections, those that no program holds
// only if orphans is true. It stops the programs first: they would see their connections end.
func (h *Host) destroyConnections(orphans bool) error {
	var errs []error
	for _, p := range h.programs {
		if err := p.Signal(unix.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
	}
	entries, err := h.diag.Sockets()
	errs = append(errs, err)
	for _, e := range entries {
		if e.State != sock.Listening && (orphans || e.Inode != 0) {
			errs = append(errs, h.diag.Destroy(e))
		}
	}
	return errors.Join(errs...)
}

// PowerOn takes the host's links up again, as after a reboot: none of the earlier programs and
// connections are left. It returns an error while the host's kernel still shuts SCTP associations of
// dead programs down: their SHUTDOWN would leave the host, and the kernel cannot destroy them
// (sctp_diag has no SOCK_DESTROY).
func (h *Host) PowerOn() error {
	left, err := h.associationTable()
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("powering %s on: its kernel still shuts %d SCTP associations of dead programs down: end them before the power cut", h.name, len(left))
	}
	for _, name := range h.neighbour {
		if err := h.links.Up(name); err != nil {
			return err
		}
	}
	for neighbour, name := range h.neighbour {
		if err := errors.Join(h.links.AwaitUp(name), neighbour.links.AwaitUp(linkName(h))); err != nil {
			return err
		}
	}
	return nil
}
