package shard

import (
	"bytes"
	"reflect"
	"testing"
)

func TestRecordsAreFoundBetweenOtherOutput(t *testing.T) {
	records := []Record{{Text: "first"}, {Text: "a text with \x1e and\na line"}}
	var out bytes.Buffer
	out.WriteString("dots ••")
	for _, r := range records {
		if err := r.Write(&out); err != nil {
			t.Fatal(err)
		}
		out.WriteString("more\n")
	}
	out.WriteString("\x1enonsense\n")
	var found []Record
	in := &Records{Each: func(r Record) { found = append(found, r) }}
	for _, b := range out.Bytes() { // it comes in any pieces
		_, _ = in.Write([]byte{b})
	}
	if !reflect.DeepEqual(found, records) {
		t.Errorf("found %+v, expected %+v", found, records)
	}
	if rest := in.Rest(); rest != "dots ••more\nmore\n\x1enonsense" {
		t.Errorf("the rest is %q", rest)
	}
}

func TestTheEndOfOtherOutputIsKept(t *testing.T) {
	in := &Records{}
	for range 3 * kept {
		_, _ = in.Write([]byte("x"))
	}
	_, _ = in.Write([]byte("the end"))
	if rest := in.Rest(); len(rest) != kept || !bytes.HasSuffix([]byte(rest), []byte("xthe end")) {
		t.Errorf("%d bytes are kept, which end with %q", len(rest), rest[max(0, len(rest)-10):])
	}
}
