package guest

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// output is the output of a command, which goes to a file and to the console.
type output struct {
	write *os.File // the command's end
	read  *os.File
	file  *os.File
	ended chan struct{}
}

// lingerTime is how long, in virtual time, the descendants of a command may still print
// after it has ended.
const lingerTime = 10 * time.Millisecond

// openOutput creates the file and its directory.
func openOutput(name string) (*output, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	o := &output{write: write, read: read, file: file, ended: make(chan struct{})}
	go o.pass()
	return o, nil
}

// pass passes the output on until the pipe ends, or its deadline.
func (o *output) pass() {
	defer close(o.ended)
	for buffer := make([]byte, 32<<10); ; {
		n, err := o.read.Read(buffer)
		// If the file system is full, the missing report shows it.
		_, _ = o.file.Write(buffer[:n])
		_, _ = os.Stdout.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

// close ends the output after the command has ended.
func (o *output) close() {
	_ = o.write.Close()
	_ = o.read.SetReadDeadline(time.Now().Add(lingerTime))
	<-o.ended
	_, _ = o.read.Close(), o.file.Close()
}
