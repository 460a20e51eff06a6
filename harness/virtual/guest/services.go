package guest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
)

// makeServiceDirectories makes the directories that a service manager makes for the services
// that are installed in a root: those of their units (systemd.exec(5), RuntimeDirectory=, and
// systemd.service(5), ExecStartPre= with mkdir, chown or the like), and those of tmpfiles.d(5)
// below /run. What systemd fills in (specifiers) is left out, and so is a directory of a user
// who does not exist.
func makeServiceDirectories(root string) error {
	for _, directory := range []string{"/usr/lib/systemd/system", "/etc/systemd/system"} {
		units, err := filepath.Glob(root + directory + "/*.service")
		if err != nil {
			return err
		}
		for _, unit := range units {
			content, err := os.ReadFile(unit)
			if err != nil {
				continue // a link that leads nowhere, or a unit that the caller may not read
			}
			if err := makeRuntimeDirectories(root, string(content)); err != nil {
				return fmt.Errorf("making the directories of %s: %w", strings.TrimPrefix(unit, root), err)
			}
		}
	}
	for _, directory := range []string{"/usr/lib/tmpfiles.d", "/etc/tmpfiles.d"} {
		files, err := filepath.Glob(root + directory + "/*.conf")
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if err := makeTemporaryDirectories(root, string(content)); err != nil {
				return fmt.Errorf("making the directories of %s: %w", strings.TrimPrefix(file, root), err)
			}
		}
	}
	return nil
}

// makeRuntimeDirectories makes the directories of one unit.
func makeRuntimeDirectories(root, unit string) error {
	setting := map[string]string{"User": "root", "RuntimeDirectoryMode": "0755"}
	for line := range strings.Lines(unit) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			setting[name] = strings.TrimSpace(value)
		}
	}
	for name := range strings.FieldsSeq(setting["RuntimeDirectory"]) {
		name, _, _ = strings.Cut(name, ":") // a link to it, which some versions make
		if err := makeDirectory(root, "/run/"+name, setting["RuntimeDirectoryMode"], setting["User"], setting["Group"]); err != nil {
			return err
		}
	}
	for line := range strings.Lines(unit) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStartPre="); ok {
			runMaker(root, strings.Fields(strings.TrimLeft(command, "-@:+! ")))
		}
	}
	return nil
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

// makeTemporaryDirectories makes the directories of one file of tmpfiles.d.
func makeTemporaryDirectories(root, file string) error {
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.Trim(fields[0], "dD!+-=~^$") != "" {
			continue
		}
		name := strings.Replace(fields[1], "/var/run/", "/run/", 1)
		if !strings.HasPrefix(name, "/run/") {
			continue
		}
		field := func(i int, otherwise string) string {
			if i < len(fields) && fields[i] != "-" {
				return fields[i]
			}
			return otherwise
		}
		if err := makeDirectory(root, name, field(2, "0755"), field(3, "root"), field(4, "root")); err != nil {
			return err
		}
	}
	return nil
}

// makeDirectory makes a directory below /run with its owner; without a group, it is the
// user's. It leaves one that is elsewhere out: a package is not trusted.
func makeDirectory(root, name, mode, user, group string) error {
	below, ok := strings.CutPrefix(filepath.Clean("/"+name), "/run/")
	if !ok || strings.Contains(name, "%") || strings.Contains(user, "%") {
		return nil
	}
	permissions, err := strconv.ParseUint(strings.TrimLeft(mode, "~:"), 8, 12)
	if err != nil {
		return fmt.Errorf("its mode is %q: %w", mode, err)
	}
	uid, err := account(root+"/etc/passwd", user)
	if err != nil {
		return nil // DynamicUser=, or a package that is removed
	}
	gid := 0
	if group != "" {
		gid, err = account(root+"/etc/group", group)
	} else {
		gid, err = primaryGroup(root+"/etc/passwd", user)
	}
	if err != nil {
		return nil
	}
	if err := os.MkdirAll(root+"/run", 0o755); err != nil {
		return err
	}
	run, err := os.OpenRoot(root + "/run") // no link leads out of it
	if err != nil {
		return err
	}
	defer func() { _ = run.Close() }()
	if err := run.MkdirAll(below, 0o755); err != nil {
		return err
	}
	if err := run.Chown(below, uid, gid); err != nil {
		return err
	}
	return run.Chmod(below, fs.FileMode(permissions&0o777)|special(permissions))
}

// special returns the bits of a mode above its permissions as package fs has them.
func special(mode uint64) (bits fs.FileMode) {
	for bit, name := range map[uint64]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if mode&bit != 0 {
			bits |= name
		}
	}
	return bits
}

// account returns the number of a user in a file as passwd(5), or of a group in one as
// group(5). A name may also be the number.
func account(file, name string) (int, error) { return field(file, name, 2) }

// primaryGroup returns the number of a user's group in a file as passwd(5).
func primaryGroup(file, name string) (int, error) { return field(file, name, 3) }

// field returns a number from the entry of a name.
func field(file, name string, index int) (int, error) {
	if number, err := strconv.Atoi(name); err == nil {
		return number, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for entry := range strings.Lines(string(content)) {
		if fields := strings.Split(strings.TrimSpace(entry), ":"); fields[0] == name && len(fields) > index {
			return strconv.Atoi(fields[index])
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
