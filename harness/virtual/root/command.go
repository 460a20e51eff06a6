package root

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/u-root/u-root/pkg/shlex"
)

// Command is a command line as it is started.
type Command struct {
	Arguments []string // the path of the program's file, and its arguments
	Text      string   // the command as the user wrote it
	Package   string   // the Debian package of the program with its version; empty: none
	Directory string   // where it is started
}

// AddCommand puts the program of a command into the guest, unless a package that was added
// has it, and the files of this machine that the arguments name. It is started in the
// guest's directory of the same name as the current one here.
func (s *FileSystem) AddCommand(text string) (Command, error) {
	c, err := parseCommand(text)
	if err != nil {
		return Command{}, err
	}
	s.Files.Directory(c.Directory, 0o755)
	if err := s.findProgram(&c); err != nil {
		return Command{}, err
	}
	for _, argument := range c.Arguments[1:] {
		if err := s.addArgument(argument); err != nil {
			return Command{}, err
		}
	}
	return c, nil
}

// HostCommand returns a command for this machine itself, with the path of its program.
func HostCommand(text string) (Command, error) {
	c, err := parseCommand(text)
	if err != nil {
		return Command{}, err
	}
	c.Arguments[0], err = lookHere(c.Arguments[0])
	return c, err
}

// parseCommand splits a command; its program is not looked for.
func parseCommand(text string) (Command, error) {
	words, err := SplitCommand(text)
	if err != nil {
		return Command{}, err
	}
	here, err := os.Getwd()
	return Command{Arguments: words, Text: text, Directory: here}, err
}

// SplitCommand splits a command into words as a shell does: quotes and backslashes are
// understood, variables and redirections are not. It returns at least one word, or an
// error.
func SplitCommand(text string) ([]string, error) {
	const mark = "end" // an open quote swallows it
	words := shlex.Argv(text + " " + mark)
	last := len(words) - 1
	switch {
	case words[last] != mark:
		return nil, fmt.Errorf("the command %q has an open quote, or ends with a backslash", text)
	case last == 0:
		return nil, fmt.Errorf("the command %q names no program", text)
	}
	return words[:last], nil
}

// findProgram finds the program in a package that was added, or adds this machine's.
func (s *FileSystem) findProgram(c *Command) error {
	name := c.Arguments[0]
	for _, directory := range append(binaries, "") {
		if path := filepath.Join(directory, name); s.version(path) != "" {
			c.Package, c.Arguments[0] = s.version(path), path
			return nil
		}
	}
	path, err := lookHere(name)
	if errors.Is(err, errNotHere) {
		return fmt.Errorf("%w, and no package that was added has it: name its package with --package (no shell reads the command: sh -c '…' does)", err)
	}
	if err != nil {
		return err
	}
	c.Arguments[0] = path
	return AddProgram(s.Files, path, path)
}

// isFile reports whether a path leads to a regular file.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

var errNotHere = errors.New("is not on this machine")

// lookHere returns the absolute path of a program of this machine.
func lookHere(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s is not executable (chmod +x)", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s %w", name, errNotHere)
	}
	return filepath.Abs(path)
}

// notCopied are the directories whose files are this machine's own: an argument may name
// one without bringing it along.
var notCopied = []string{"/dev", "/proc", "/sys", "/run", "/var/run"}

// addArgument adds the file of this machine that an argument names, as in "server.py" or
// "--config=server.conf", unless the guest has that file.
func (s *FileSystem) addArgument(argument string) error {
	name := argument
	if _, value, ok := strings.Cut(argument, "="); ok {
		name = value
	}
	path, err := filepath.Abs(name)
	if err != nil || name == "" || !isFile(path) || s.Files.Has(inUsr(path)) {
		return nil // it names no file, or one that is there
	}
	for _, directory := range notCopied {
		if filepath.IsAbs(name) && within(path, directory) {
			return nil
		}
	}
	return s.Take(path)
}
