package root

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kballard/go-shellquote"
)

// Command is a command line as it is started.
type Command struct {
	Arguments []string // the path of the program's file, and its arguments
	Text      string   // the command as the user wrote it
	Package   string   // the Debian package of the program with its version; empty: none
	Directory string   // where it is started
}

// AddCommand puts the program of a command into the guest, and the files of this machine that
// the arguments name. It is started in the guest's directory of the same name as the current
// one here.
func (s *FileSystem) AddCommand(text string) (Command, error) {
	c, err := parseCommand(text)
	if err != nil {
		return Command{}, err
	}
	s.Files.Directory(c.Directory, 0o755)
	if c.Arguments[0], err = lookHere(c.Arguments[0]); err != nil {
		return Command{}, err
	}
	if err := AddProgram(s.Files, c.Arguments[0], c.Arguments[0]); err != nil {
		return Command{}, err
	}
	for _, argument := range c.Arguments[1:] {
		if err := s.addArgument(argument); err != nil {
			return Command{}, err
		}
	}
	return c, nil
}

// HostCommand returns a command for this machine's own root, with the path of its program.
func HostCommand(text string) (Command, error) {
	c, err := parseCommand(text)
	if err != nil {
		return Command{}, err
	}
	if c.Arguments[0], err = lookHere(c.Arguments[0]); err != nil {
		return Command{}, err
	}
	c.Package = packageOf(c.Arguments[0])
	return c, nil
}

// CheckCommand reports, in one line, why this machine cannot start a command.
func CheckCommand(text string) error {
	words, err := SplitCommand(text)
	if err != nil {
		return err
	}
	_, err = lookHere(words[0])
	return err
}

// Command returns a command for this machine's root with the packages. Its program is looked
// for when it is started, unless this machine has it already.
func (i *Installed) Command(text string) (Command, error) {
	c, err := HostCommand(text)
	if err == nil && c.Package != "" && i.File == "" {
		return c, nil
	}
	if c, err = parseCommand(text); err != nil {
		return Command{}, err
	}
	if i.Whole { // this machine's directories are not there
		c.Directory = "/"
	}
	var versions []string
	for _, p := range i.Requested {
		versions = append(versions, p.String())
	}
	c.Package = strings.Join(versions, ", ")
	return c, nil
}

// packageOf returns the Debian package of a program of this machine, with its version; empty:
// none has it.
func packageOf(program string) string {
	names := []string{program}
	if short, ok := strings.CutPrefix(program, "/usr"); ok { // as the package names it (UsrMerge)
		names = append(names, short)
	}
	for _, name := range names {
		out, err := exec.Command("dpkg-query", "--search", name).Output()
		owner, _, found := strings.Cut(string(out), ": ")
		if err != nil || !found {
			continue
		}
		about, err := exec.Command("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", owner).Output()
		if first, _, _ := strings.Cut(string(about), "\n"); err == nil {
			return first
		}
	}
	return ""
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
// understood, variables, redirections and comments are not. It returns at least one word, or an
// error.
func SplitCommand(text string) ([]string, error) {
	words, err := shellquote.Split(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the command %q has an open quote, or ends with a backslash", text)
	case len(words) == 0 || words[0] == "":
		return nil, fmt.Errorf("the command %q names no program", text)
	}
	return words, nil
}

// JoinCommand returns words as a command that a shell would split into them.
func JoinCommand(words []string) string {
	const plain = "%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz{}"
	var joined []string
	for _, word := range words {
		if word == "" || strings.Trim(word, plain) != "" {
			word = quoted([]string{word})
		}
		joined = append(joined, word)
	}
	return strings.Join(joined, " ")
}

// isFile reports whether a path leads to a regular file.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// lookHere returns the absolute path of a program of this machine.
func lookHere(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s is not executable (chmod +x)", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s is not on this machine: install it, or name the Debian package that has it with --package (no shell reads the command: sh -c '…' does)", name)
	}
	return filepath.Abs(path)
}

// notCopied are the directories whose files are this machine's own: an argument may name
// one without bringing it along.
var notCopied = []string{"/dev", "/proc", "/sys", "/run", "/var/run"}

// within reports whether a path is a directory's own or below it.
func within(name, directory string) bool {
	return name == directory || strings.HasPrefix(name, directory+"/")
}

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
