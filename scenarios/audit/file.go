package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Load reads a request from a file in YAML. What the file leaves out is as in Default. The
// error is one line.
func Load(path string) (Request, error) {
	r := Default()
	content, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("reading the audit: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("reading the audit %s: %w", path, oneLine(err))
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("reading the audit %s: it has more than one YAML document: keep each audit in a file of its own", path)
	}
	return r, nil
}

// oneLine returns the first of the errors that the YAML library lists.
func oneLine(err error) error {
	if all, ok := errors.AsType[*yaml.TypeError](err); ok && len(all.Errors) > 0 {
		return errors.New(inTermsOfTheFile(all.Errors[0]))
	}
	return err
}

// Errors of the YAML library, which speak of Go's types.
var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type (\S+)`)
	notADuration = regexp.MustCompile(`cannot unmarshal \S+ (.+) into time\.Duration`)
	notANumber   = regexp.MustCompile(`cannot unmarshal \S+ (.+) into uint16`)
)

// inTermsOfTheFile rewrites an error of the YAML library for readers of the file.
func inTermsOfTheFile(text string) string {
	text = notADuration.ReplaceAllString(text, "$1 is not a duration: write it as 90s or 2h30m")
	text = notANumber.ReplaceAllString(text, "$1 is not a port: write a number from 1 to 65535")
	found := unknownField.FindStringSubmatch(text)
	if found == nil {
		return text
	}
	of := reflect.TypeFor[Request]()
	if promises := reflect.TypeFor[answer.Promises](); found[2] == promises.String() {
		of = promises
	}
	return strings.Replace(text, found[0], fmt.Sprintf("there is no field %s here: the fields are %s", found[1], strings.Join(fieldNames(of), ", ")), 1)
}

// fieldNames returns the names that the fields of a struct have in a file.
func fieldNames(of reflect.Type) (names []string) {
	for field := range of.Fields() {
		if name := field.Tag.Get("yaml"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}
