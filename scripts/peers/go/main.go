// Command engine-go exercises the real Go sync.Mutex under synchroscope's launch protocol: one launch spec as JSON on
// standard input, one launch result as JSON on standard output. A spec that it cannot run ends in one line on standard
// error and exit code 2.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

const (
	// protocol is the version of the launch protocol that this engine speaks.
	protocol = 1
	// exitUsage is the exit code after a spec or a flag that makes no sense.
	exitUsage = 2
)

func main() {
	version := flag.Bool("version", false, "print the version of Go and of the launch protocol")
	list := flag.Bool("list", false, "print the ids of the implementations")
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		fail(fmt.Errorf("unexpected argument %q: the spec comes on standard input", flag.Arg(0)))
	case *version:
		fmt.Printf("%s, launch protocol %d\n", runtime.Version(), protocol)
	case *list:
		for _, implementation := range implementations {
			fmt.Println(implementation.id)
		}
	default:
		if err := answer(os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
	}
}

// answer reads one spec, runs it, and writes the result. Nothing is written before everything has been measured.
func answer(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("cannot read the spec: %w", err)
	}
	spec, err := parseSpec(text)
	if err != nil {
		return err
	}
	result, err := launch(spec)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("cannot encode the result: %w", err)
	}
	if _, err = out.Write(append(encoded, '\n')); err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	return nil
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "engine-go: %v\n", err)
	os.Exit(exitUsage)
}
