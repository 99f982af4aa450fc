// Argolint checks manifests with Argo's own validation, the one behind `argo lint --offline --strict`.
//
// It reads the files named as arguments and prints one JSON object a line for each document in them:
// {"file", "kind", "name", "error"}; the error is empty when the document is fine. `-argo 3` takes the validation of
// Argo 3, `-argo 4` (what is taken when nothing is said) that of Argo 4.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

type result struct {
	File  string `json:"file"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Error string `json:"error"`
}

// versions are the ways to check the documents of one file, by Argo's major version.
var versions = map[string]func(body []byte) []result{"3": check3, "4": check4}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func main() {
	version := flag.String("argo", "4", "major version of Argo: 3 or 4")
	flag.Parse()
	check, known := versions[*version]
	if !known {
		fmt.Fprintf(os.Stderr, "argolint: there is no Argo %s here\n", *version)
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	for _, file := range flag.Args() {
		body, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		found := check(body)
		if len(found) == 0 {
			found = []result{{Error: "holds no object"}}
		}
		for _, one := range found {
			one.File = file
			_ = out.Encode(one)
		}
	}
}
