package harness

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// PowerOff makes the host vanish: its cables go dead first, and only then do its
// programs and sockets end, so that not one FIN or RST gets out.
func (h *Host) PowerOff() error {
	for _, name := range h.neighbour {
		if err := h.links.Down(name); err != nil {
			return err
		}
	}
	h.abort() // leaves no orphan behind that would answer after the reboot
	return h.endPrograms()
}

// endPrograms ends the host's programs so that their connections end with them: a
// kernel that closes the sockets of a dead program goes on sending their FINs for
// minutes, and would still do so after a reboot.
func (h *Host) endPrograms() error {
	errs := []error{h.destroyConnections(true)}
	for _, p := range h.programs {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// destroyConnections makes the host's kernel forget its connections, with or without those
// that no program holds any more. The programs are stopped, or else they would see them
// end.
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

// PowerOn is the reboot: the cables work again, and nothing is left of what ran. It is an
// error while the host's kernel still shuts SCTP associations of dead programs down, which
// nothing ends sooner (sctp_diag cannot): their SHUTDOWN would get out.
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
