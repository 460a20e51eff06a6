package commandline

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// CheckPattern reports, in one line, why a text is not a regular expression (package
// regexp/syntax).
func CheckPattern(text string) error {
	_, err := regexp.Compile(text)
	if wrong, ok := errors.AsType[*syntax.Error](err); ok {
		return fmt.Errorf("%q is not a regular expression: %s at %q: write \\ before a character that stands for itself", text, wrong.Code, wrong.Expr)
	}
	return err
}
