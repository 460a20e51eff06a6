package answer

import "fmt"

// Conversation is what the fixture said on the quiet connection, and whether the program
// answered.
type Conversation struct {
	Name     string  `json:"name,omitempty"` // of the ready-made one; empty: the user's own
	TLS      bool    `json:"tls,omitempty"`
	Every    Seconds `json:"every_seconds,omitempty"` // how often the request is repeated; 0: it is not
	LoggedIn bool    `json:"logged_in,omitempty"`     // there is a login, and it was answered
	Answered int     `json:"answered"`                // requests of the fixture that were answered as expected
	Failed   int     `json:"failed,omitempty"`        // requests of the fixture that were not
	Replied  int     `json:"replied,omitempty"`       // requests of the program that the fixture has answered
	// Trouble is the first that was not answered as expected: what was expected, and what
	// came. Empty: nothing.
	Trouble string `json:"trouble,omitempty"`
}

// Words returns what the fixture said, for the page; empty for a conversation without a name
// and without TLS.
func (c *Conversation) Words() string {
	if c == nil || c.Name == "" && !c.TLS {
		return ""
	}
	words := c.Name
	if words == "" {
		words = "as it was given"
	}
	if c.TLS {
		words += ", over TLS"
	}
	switch {
	case c.Every > 0:
		words += fmt.Sprintf(", a request every %v", c.Every)
	case c.Answered > 0:
		words += ", a request that was answered"
	case c.Replied > 0:
		words += ", to what the program asks"
	}
	return words
}

// Unanswered returns what the program did not answer as expected; empty: nothing.
func (c *Conversation) Unanswered() string {
	if c == nil {
		return ""
	}
	return c.Trouble
}
