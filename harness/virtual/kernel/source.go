package kernel

import (
	"fmt"
	"strings"
)

// Source is a series of Debian's kernel source. Its package is linux-source-SERIES.
type Source string

// The sources, each named after the release of Debian that uses it.
const (
	Debian13 Source = "6.12"
	Debian12 Source = "6.1"
)

// Default is the source that is used unless another is asked for.
const Default = Debian13

// Sources returns every source, the default first.
func Sources() []Source { return []Source{Debian13, Debian12} }

// ParseSource returns the source with that name. An empty name is the default.
func ParseSource(name string) (Source, error) {
	if name == "" {
		return Default, nil
	}
	var names []string
	for _, s := range Sources() {
		if string(s) == name {
			return s, nil
		}
		names = append(names, string(s))
	}
	return "", fmt.Errorf("there is no kernel source %q: choose %s", name, strings.Join(names, " or "))
}

// debianPackage returns the name of Debian's package with the source.
func (s Source) debianPackage() string { return "linux-source-" + string(s) }

// suite returns the codename of the release of Debian that always has the package.
func (s Source) suite() string {
	if s == Debian12 {
		return "bookworm"
	}
	return "trixie"
}
