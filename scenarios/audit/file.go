package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
	"github.com/halfopen-lab/halfopen/harness/nearest"
)

// maxFile bounds the size of a file with an audit. One has some hundred bytes.
const maxFile = 1 << 20

// Load reads a request from a file in YAML. What the file leaves out is as in Default. The
// error is one line, and has the line of the file.
func Load(ctx context.Context, path string) (Request, error) {
	r := Default()
	content, err := inputfile.Read(ctx, path, maxFile)
	if err != nil {
		return r, fmt.Errorf("reading the audit: %w", err)
	}
	err = r.parse(content)
	if err == nil {
		err = r.Conversation.ReadFiles(filepath.Dir(path))
	}
	if err != nil {
		return r, fmt.Errorf("reading the audit %s: %w", path, err)
	}
	return r, nil
}

func (r *Request) parse(content []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil // an empty file
	} else if err != nil {
		return inPlainWords(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("it has a second YAML document: keep each audit in a file of its own")
	}
	if err := checkForm(document.Content[0]); err != nil {
		return err
	}
	if err := checkNode(document.Content[0], reflect.TypeFor[Request]()); err != nil {
		return err
	}
	return inPlainWords(document.Decode(r))
}

// checkNode reports a value in the file that a field of a type cannot have.
func checkNode(node *yaml.Node, of reflect.Type) error {
	if node.Tag == "!!null" {
		return nil // as if it were left out
	}
	wrong := func(needed string) error {
		value := shown(node.Value)
		if node.Kind != yaml.ScalarNode {
			value = "this"
		}
		return fmt.Errorf("line %d: %s is not %s", node.Line, value, needed)
	}
	scalar := node.Kind == yaml.ScalarNode
	switch {
	case of == reflect.TypeFor[conversation.Conversation](), of == reflect.TypeFor[conversation.Text]():
		return nil // they say themselves what is wrong, with the line
	case of == reflect.TypeFor[time.Duration]():
		if _, err := time.ParseDuration(node.Value); err != nil || !scalar || node.ShortTag() != "!!str" {
			return wrong("a duration: write it as 90s or 2h30m")
		}
	case reflect.PointerTo(of).Implements(reflect.TypeFor[yaml.Unmarshaler]()): // it has a short form
		if scalar {
			return nil
		}
		if node.Kind != yaml.MappingNode {
			return wrong("a text or a list of fields")
		}
		return checkMapping(node, of)
	case of.Kind() == reflect.Struct, of.Kind() == reflect.Map:
		if node.Kind != yaml.MappingNode {
			return wrong("a list of fields: write NAME: VALUE")
		}
		return checkMapping(node, of)
	case of.Kind() == reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			return wrong("a list: write [VALUE, VALUE]")
		}
		for _, element := range node.Content {
			if err := checkNode(element, of.Elem()); err != nil {
				return err
			}
		}
	case of.Kind() == reflect.Uint16:
		if _, err := strconv.ParseUint(node.Value, 10, 16); err != nil || node.Tag != "!!int" || !portNumber.MatchString(node.Value) {
			return wrong("a port: write a number from 1 to 65535")
		}
	case of.Kind() == reflect.Bool && node.Tag != "!!bool":
		return wrong("true or false")
	case of.Kind() == reflect.Int && (node.Tag != "!!int" || !wholeNumber.MatchString(node.Value)):
		return wrong("a whole number: write it as 7")
	case !scalar:
		return wrong("a text")
	}
	return nil
}

// shown returns a text of a file for an error: as it is if it is short and plain, or quoted
// and cut off.
func shown(text string) string {
	const most = 60
	cut := text
	if len(text) > most {
		cut = text[:most] + "…"
	}
	if quoted := strconv.Quote(cut); quoted != `"`+text+`"` || text == "" {
		return quoted
	}
	return text
}

// checkMapping checks the fields of a struct, or the values of a map.
func checkMapping(node *yaml.Node, of reflect.Type) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if seen[key.Value] {
			return fmt.Errorf("line %d: %s is there twice", key.Line, shown(key.Value))
		}
		seen[key.Value] = true
		if of.Kind() == reflect.Map {
			if err := checkNode(value, of.Elem()); err != nil {
				return err
			}
			continue
		}
		field, ok := fieldNamed(of, key.Value)
		if !ok {
			names := fieldNames(of)
			return fmt.Errorf("line %d: there is no field %s here: %s; the fields are:\n  %s", key.Line, shown(key.Value), nearest.List(key.Value, names), strings.Join(names, "\n  "))
		}
		if err := checkNode(value, field.Type); err != nil {
			return err
		}
	}
	return nil
}

// fieldNamed returns the field of a struct that has a name in a file.
func fieldNamed(of reflect.Type, name string) (found reflect.StructField, ok bool) {
	for field := range of.Fields() {
		switch tag := field.Tag.Get("yaml"); {
		case tag == inline:
			found, ok = fieldNamed(field.Type, name)
		case tag == name && name != "-":
			found, ok = field, true
		}
		if ok {
			return found, true
		}
	}
	return reflect.StructField{}, false
}

// inline is the tag of a field whose own fields stand in its place.
const inline = ",inline"

// fieldNames returns the names that the fields of a struct have in a file.
func fieldNames(of reflect.Type) (names []string) {
	for field := range of.Fields() {
		switch tag := field.Tag.Get("yaml"); tag {
		case inline:
			names = append(names, fieldNames(field.Type)...)
		case "-":
		default:
			names = append(names, tag)
		}
	}
	return names
}

// Fields returns the names of all fields that a file with an audit may have, at any depth.
func Fields() []string {
	var names []string
	var add func(of reflect.Type)
	add = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			add(of.Elem())
		case reflect.Struct:
			for field := range of.Fields() {
				tag := field.Tag.Get("yaml")
				if tag == "-" {
					continue
				}
				if tag != inline && tag != "" {
					names = append(names, tag)
				}
				add(field.Type)
			}
		}
	}
	add(reflect.TypeFor[Request]())
	slices.Sort(names)
	return slices.Compact(names)
}
