package audit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// packageName matches what apt-get install takes: a name (Debian Policy, section 5.6.1), an
// architecture, a version (section 5.6.12) or a release.
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?([=/][A-Za-z0-9.+:~-]+)?$`)

// variableName matches the name of an environment variable (POSIX.1-2024, Base Definitions,
// chapter 8).
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// account matches USER or USER:GROUP, each a name (useradd(8)) or a number.
var account = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*\$?)?$`)

// checkTexts reports a text that cannot be what it stands for.
func (r Request) checkTexts() error {
	for _, list := range []struct {
		what, flag string
		texts      []string
	}{
		{"the presets", "preset", r.Presets}, {"the faults", "fault", r.Faults}, {"the names", "", r.Only}, {"the presets to survive", "", r.Expect.Survives},
	} {
		if err := noEmpty(list.what, list.flag, list.texts); err != nil {
			return err
		}
	}
	for _, p := range r.programs() {
		if err := p.checkTexts(); err != nil {
			return err
		}
	}
	return nil
}

// noEmpty reports an empty text in a list.
func noEmpty(what, flag string, texts []string) error {
	if !slices.Contains(texts, "") {
		return nil
	}
	if flag == "" {
		return fmt.Errorf("one of %s is empty: leave it out", what)
	}
	return fmt.Errorf("one of %s is empty: leave it out (--%s)", what, flag)
}

// checkTexts reports a text of a program that cannot be what it stands for.
func (p Program) checkTexts() error {
	for _, list := range []struct {
		what, flag string
		texts      []string
	}{
		{"the packages", "package", p.Packages}, {"the files to take along", "take", p.Take}, {"the files to hide", "hide", p.Hide},
		{"the commands to prepare", "prepare", p.Prepare}, {"the variables", "env", p.Environment},
	} {
		if err := noEmpty(list.what, list.flag, list.texts); err != nil {
			return err
		}
		for _, text := range list.texts {
			if strings.ContainsRune(text, 0) {
				return fmt.Errorf("%q has a zero byte, which no program can be given: leave it out (--%s)", text, list.flag)
			}
		}
	}
	for _, text := range []string{p.Command, p.Image, p.User} {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("%q has a zero byte, which no program can be given: leave it out", text)
		}
	}
	for _, name := range p.Packages {
		if !packageName.MatchString(name) {
			return fmt.Errorf("%q is not the name of a Debian package: write it as nginx or nginx=1.22.1-9 (--package)", name)
		}
	}
	for _, setting := range p.Environment {
		if name, _, valued := strings.Cut(setting, "="); valued && name != "" && !variableName.MatchString(name) {
			return fmt.Errorf("%q is not the name of a variable: letters, digits and _ are, and no digit is first (--env)", name)
		}
	}
	if p.User != "" && !account.MatchString(p.User) {
		return fmt.Errorf("%q is not a user: write USER or USER:GROUP, names or numbers (--user)", p.User)
	}
	return nil
}
