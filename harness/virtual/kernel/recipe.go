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

// recipe is what this program adds to a source: everything that decides the kernel's
// bytes, apart from the package and the compiler.
type recipe struct {
	config  []byte
	patches []patch // in the order of their names
}

type patch struct {
	name    string
	content []byte
}

// recipeFor reads the configuration and the patches of a source from files, which has
// them as this package's directory does.
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

// hash identifies the recipe. The arguments and the environment of make belong to it.
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

// missing returns the settings of the configuration that a .config does not have. The
// kernel's make drops a setting without a word when its dependencies are not met.
func (r recipe) missing(config []byte) []string {
	got := map[string]string{}
	for line := range bytes.Lines(config) {
		if name, value, ok := strings.Cut(strings.TrimSpace(string(line)), "="); ok {
			got[name] = value
		}
	}
	var missing []string
	for line := range bytes.Lines(r.config) {
		name, want, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value, set := got[name]
		if value != want && (set || want != "n") { // a setting that is off has no line
			missing = append(missing, name+"="+want)
		}
	}
	return missing
}
