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

// lines are those of the page; none for a conversation without a name, TLS or trouble.
func (c *Conversation) lines() []string {
	if c == nil {
		return nil
	}
	var lines []string
	if c.Name != "" || c.TLS {
		line := c.Name
		if line == "" {
			line = "as it was given"
		}
		if c.TLS {
			line += ", over TLS"
		}
		switch {
		case c.Every > 0:
			line += fmt.Sprintf(", a request every %v", c.Every)
		case c.Answered > 0:
			line += ", a request that was answered"
		case c.Replied > 0:
			line += ", which has answered the program"
		}
		lines = append(lines, line)
	}
	if c.Trouble != "" {
		lines = append(lines, "the program did not answer: "+c.Trouble)
	}
	return lines
}
