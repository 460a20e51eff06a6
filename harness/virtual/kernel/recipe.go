package kernel

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed config patches
var embedded embed.FS

// recipe is what this program adds to a source. Together with the package and the
// compiler it decides the kernel's bytes.
type recipe struct {
	config  []byte
	patches []patch // in the order of their names
}

type patch struct {
	name    string
	content []byte
}

// recipeFor reads the configuration and the patches of a source from a copy of this
// package's directory.
func recipeFor(files fs.FS, s Source) (recipe, error) {
	config, err := fs.ReadFile(files, "config")
	if err != nil {
		return recipe{}, fmt.Errorf("reading the kernel's configuration: %w", err)
	}
	r := recipe{config: config}
	names, err := fs.Glob(files, path.Join("patches", string(s), "*.patch")) // sorted
	if err != nil {
		return recipe{}, err
	}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return recipe{}, fmt.Errorf("reading a patch of the kernel: %w", err)
		}
		r.patches = append(r.patches, patch{path.Base(name), content})
	}
	return r, nil
}

// hash identifies the recipe, including the arguments and the environment of make.
func (r recipe) hash() string {
	h := sha256.New()
	add := func(name string, content []byte) {
		_, _ = fmt.Fprintf(h, "%s %d\n", name, len(content))
		_, _ = h.Write(content)
	}
	add("config", r.config)
	for _, p := range r.patches {
		add(p.name, p.content)
	}
	add("make", []byte(strings.Join(slices.Concat(makeArguments, makeEnvironment), "\n")))
	return hex.EncodeToString(h.Sum(nil))
}

// missing returns the settings of the configuration that a .config does not have. make
// drops a setting silently when its dependencies are not met.
func (r recipe) missing(config []byte) []setting {
	got := map[string]string{}
	for _, s := range settings(config) {
		got[s.name] = s.value
	}
	var missing []setting
	for _, s := range settings(r.config) {
		value, set := got[s.name]
		if value != s.value && (set || s.value != off) { // a setting that is off may have no line
			missing = append(missing, s)
		}
	}
	return missing
}

// setting is a line of a configuration.
type setting struct{ name, value string }

// off is the value of a setting that is "not set".
const off = "n"

func (s setting) String() string { return s.name + "=" + s.value }

func settings(config []byte) (all []setting) {
	for line := range bytes.Lines(config) {
		text := strings.TrimSpace(string(line))
		name, value, ok := strings.Cut(text, "=")
		if comment, found := strings.CutSuffix(text, " is not set"); found {
			name, ok = strings.CutPrefix(comment, "# ")
			value = off
		}
		if ok && strings.HasPrefix(name, "CONFIG_") && !strings.ContainsAny(name, "= ") {
			all = append(all, setting{name, value})
		}
	}
	return all
}
