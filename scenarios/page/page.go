package page

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"github.com/halfopen-lab/halfopen/harness/ladder"
)

// File is the name of the page in a report directory.
const File = "index.html"

//go:embed assets
var assets embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"asset": asset}).ParseFS(assets, "assets/*.tmpl"))

// asset returns a file of the page that is written into it.
func asset(name string) (any, error) {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return nil, err
	}
	if name == "page.js" {
		return template.JS(content), nil //nolint:gosec // it is our own file
	}
	return template.CSS(content), nil
}

// document is what every page has.
type document struct {
	Title   string
	Ladders template.HTML // the ladders that the page can open, as packed has them
	Body    any
}

// write writes a page from a template.
func write(to io.Writer, name, title string, ladders []drawn, body any) error {
	packed, err := pack(ladders)
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if err := pages.ExecuteTemplate(to, name, document{title, template.HTML(packed), body}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// mostRepeats is how many events that repeat earlier ones the page has of a ladder. The rest is
// counted: it stands in the files beside the page.
const mostRepeats = 400

// drawn is a ladder as the page's script draws it.
type drawn struct {
	ID    string   `json:"id"`
	Files string   `json:"files"` // where the packets are; empty: nowhere
	Hosts []string `json:"hosts"`
	Parts []part   `json:"parts"`
	// Ended, Silence and Standings are how the story ends; zero in ladders of earlier versions.
	Ended     string            `json:"ended,omitempty"`
	Silence   string            `json:"silence,omitempty"`
	Standings []ladder.Standing `json:"standings,omitempty"`
}

// part is a burst of a ladder.
type part struct {
	Pause   string   `json:"pause,omitempty"`
	Rungs   []rung   `json:"rungs"`
	More    string   `json:"more,omitempty"`  // ladder.Burst.More
	Times   int      `json:"times,omitempty"` // how often the same follows
	Repeats [][]rung `json:"repeats,omitempty"`
}

// rung is an event as the page's script draws it.
type rung struct {
	ladder.Rung
	Words string `json:"words,omitempty"` // ladder.Rung.Words where that is not the text
}

func rungsOf(all []ladder.Rung) (drawn []rung) {
	for _, r := range all {
		d := rung{Rung: r}
		if words := r.Words(); words != r.Text {
			d.Words = words
		}
		drawn = append(drawn, d)
	}
	return drawn
}

// draw returns a ladder as the page has it, under an identifier.
func draw(id, files string, l *ladder.Ladder) drawn {
	d := drawn{ID: id, Files: files, Standings: l.Standings()}
	if len(d.Standings) > 0 {
		d.Ended = fmt.Sprintf("%.3f", l.Ended.Seconds())
	}
	if silence := l.Silence(); silence > 0 {
		d.Silence = ladder.InWords(silence)
	}
	for _, h := range l.Hosts {
		d.Hosts = append(d.Hosts, h.Name)
	}
	room := mostRepeats
	for _, b := range l.Bursts() {
		p := part{Rungs: rungsOf(b.Rungs), More: b.More(), Times: len(b.Repeats)}
		if b.After > 0 {
			p.Pause = ladder.InWords(b.After)
		}
		for _, repeat := range b.Repeats {
			if room -= len(repeat); room < 0 {
				break
			}
			p.Repeats = append(p.Repeats, rungsOf(repeat))
		}
		d.Parts = append(d.Parts, p)
	}
	return d
}

// pack returns the ladders as base64 of gzip of JSON: a page with many stays small.
func pack(ladders []drawn) (string, error) {
	var packed bytes.Buffer
	to, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if err := json.NewEncoder(to).Encode(ladders); err != nil {
		return "", err
	}
	if err := to.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}
