package answer

import (
	"strings"
	"testing"
)

func TestThePageSaysWhatTheFixtureSaysAndWhatWasNotAnswered(t *testing.T) {
	for _, c := range []struct {
		talk *Conversation
		want string
	}{
		{nil, "\nkernel"},
		{&Conversation{Answered: 1}, "\nkernel"},
		{&Conversation{Name: "redis", Answered: 1}, "\nsays        redis, a request that was answered\nkernel"},
		{&Conversation{Name: "mqtt", TLS: true, Every: 60 * 1e9, Answered: 9}, "\nsays        mqtt, over TLS, a request every 60 s\nkernel"},
		{&Conversation{Name: "http", Replied: 2}, "\nsays        http, to what the program asks\nkernel"},
		{&Conversation{TLS: true}, "\nsays        as it was given, over TLS\nkernel"},
		{&Conversation{Name: "redis", Trouble: `expected "a", and "b" came`}, "\nsays        redis\nunanswered  expected \"a\", and \"b\" came\nkernel"},
	} {
		a := &Answer{Conversation: c.talk}
		if text := a.Text(); !strings.Contains(text, c.want) {
			t.Errorf("%+v: expected %q in\n%s", c.talk, c.want, text)
		}
		if c.talk != nil && c.talk.Trouble != "" && !strings.Contains(a.Markdown(), "It says: redis.\nThe program did not answer it: expected") {
			t.Errorf("the Markdown has\n%s", a.Markdown())
		}
	}
}
