package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Spec is one spec of a run.
type Spec struct {
	Text  string        // with those of its containers; no two specs have the same
	Group string        `json:",omitempty"` // specs of one group stay in one shard; empty: it has none
	Wait  time.Duration `json:",omitempty"` // the time that it spends waiting
	Cost  int           // what it takes of a processor beside its waits; an ordinary spec takes 1
}

// List is the specs of a run, in the order in which its report has them.
type List []Spec

// Write writes the list for ReadList.
func (l List) Write(file string) error {
	content, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

// ReadList reads what a test binary has written.
func ReadList(file string) (List, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the list of specs: %w", err)
	}
	var l List
	if err := json.Unmarshal(content, &l); err != nil {
		return nil, fmt.Errorf("reading the list of specs: %w", err)
	}
	seen := map[string]bool{}
	for _, spec := range l {
		if seen[spec.Text] {
			return nil, fmt.Errorf("two specs have the text %q: give one of them another", spec.Text)
		}
		seen[spec.Text] = true
	}
	return l, nil
}

// digest identifies the list.
func (l List) digest() string {
	content, err := json.Marshal(l)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Texts returns the texts of the specs at those places.
func (l List) Texts(places []int) []string {
	texts := make([]string, len(places))
	for i, place := range places {
		texts[i] = l[place].Text
	}
	return texts
}
