package guest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/halfopen-lab/halfopen/harness/linux"
)

// makeServiceDirectories makes what a service manager makes in /run of a root for the services
// that are installed there: the directories of their units (systemd.exec(5), RuntimeDirectory=,
// and systemd.service(5), ExecStartPre= with mkdir, chown or the like), and what tmpfiles.d(5)
// says. What systemd fills in (specifiers of units) is left out, and so is what belongs to a
// user who does not exist.
func makeServiceDirectories(at string) error {
	root, err := os.OpenRoot(at) // no link leads out of it
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	units := readUnits(root)
	var lines strings.Builder
	for _, unit := range units {
		lines.WriteString(runtimeDirectories(root, unit))
	}
	if err := applyTmpfiles(at, root, lines.String()); err != nil {
		return err
	}
	for _, unit := range units {
		for line := range strings.Lines(unit) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStartPre="); ok {
				runMaker(at, strings.Fields(strings.TrimLeft(command, "-@:+! ")))
			}
		}
	}
	return nil
}

// readUnits returns what the units of services in a root say. A link that leads nowhere, and a
// unit that the caller may not read, are left out.
func readUnits(root *os.Root) (all []string) {
	for _, directory := range []string{"usr/lib/systemd/system", "etc/systemd/system"} {
		names, _ := fs.Glob(root.FS(), directory+"/*.service") // the pattern is well formed
		for _, name := range names {
			if content, err := root.ReadFile(name); err == nil {
				all = append(all, string(content))
			}
		}
	}
	return all
}

// runtimeDirectories returns the directories below /run that a unit names, as lines of
// tmpfiles.d(5). One that would be elsewhere is left out: a package is not trusted.
func runtimeDirectories(root *os.Root, unit string) (lines string) {
	setting := map[string]string{"User": "root", "RuntimeDirectoryMode": "0755"}
	for line := range strings.Lines(unit) {
		if name, value, ok := strings.Cut(line, "="); ok {
			setting[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	group := cmp.Or(setting["Group"], primaryGroup(root, setting["User"]))
	for name := range strings.FieldsSeq(setting["RuntimeDirectory"]) {
		name, _, _ = strings.Cut(name, ":") // a link to it, which some versions make
		if line := fmt.Sprintf("d /run/%s %s %s %s\n", name, setting["RuntimeDirectoryMode"], setting["User"], group); filepath.IsLocal(name) && !strings.Contains(line, "%") {
			lines += line
		}
	}
	return lines
}

// primaryGroup returns the number of a user's group (passwd(5)), and that of root for a user who
// is not there.
func primaryGroup(root *os.Root, user string) string {
	content, _ := root.ReadFile("etc/passwd")
	for entry := range strings.Lines(string(content)) {
		if fields := strings.Split(entry, ":"); fields[0] == user && len(fields) > 3 {
			return fields[3]
		}
	}
	return "0"
}

// tmpfiles is the program of Debian's package systemd-standalone-tmpfiles, among process 1's own
// files: a root need not have one.
const tmpfiles = "/usr/bin/systemd-tmpfiles"

// applyTmpfiles makes what tmpfiles.d(5) of a root says of /run, and before that what lines say.
func applyTmpfiles(at string, root *os.Root, lines string) error {
	const directory = "run/tmpfiles.d"
	if err := root.Mkdir(directory, 0o755); err != nil {
		return err
	}
	if err := root.WriteFile(directory+"/00-units.conf", []byte(lines), 0o644); err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.Command(tmpfiles, "--root="+at, "--create", "--boot", "--prefix=/run")
	cmd.Stdout, cmd.Stderr = &said, &said
	err := linux.StartLimited(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	// As for systemd-tmpfiles-setup.service, a line that cannot be carried out, EX_DATAERR and
	// EX_CANTCREAT (sysexits.h), is no failure.
	if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && !(ok && (failed.ExitCode() == 65 || failed.ExitCode() == 73)) {
		return fmt.Errorf("making /run for the services that are installed: %s: %w: %s", tmpfiles, err, strings.TrimSpace(said.String()))
	}
	// The machine has booted: users may log in (systemd-user-sessions(8)).
	if err := root.Remove("run/nologin"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.RemoveAll(directory)
}

// makers are the programs that units run to make what their services need.
var makers = []string{"mkdir", "chown", "chmod", "install"}

// runMaker runs a command of a unit, if it is one of those. Where it fails, the service will
// say what it lacks.
func runMaker(root string, words []string) {
	if len(words) == 0 || !filepath.IsAbs(words[0]) || !slices.Contains(makers, filepath.Base(words[0])) || strings.ContainsAny(strings.Join(words, " "), "%$'\"\\") {
		return
	}
	cmd := &exec.Cmd{Path: words[0], Args: words, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Chroot: root}}
	if err := linux.StartLimited(cmd); err == nil {
		_ = cmd.Wait()
	}
}
