// Argolint checks manifests with Argo's own validation, the one behind `argo lint --offline --strict`.
//
// It reads the files named as arguments and prints one JSON object a line for each document in them:
// {"file", "kind", "name", "error"}; the error is empty when the document is fine.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	"github.com/argoproj/argo-workflows/v3/workflow/templateresolution"
	"github.com/argoproj/argo-workflows/v3/workflow/validate"
	"github.com/sirupsen/logrus"
)

// templates are the WorkflowTemplates of one file, by name.
type templates map[string]*wfv1.WorkflowTemplate

func (t templates) Get(name string) (*wfv1.WorkflowTemplate, error) {
	if found, ok := t[name]; ok {
		return found, nil
	}
	return nil, fmt.Errorf("there is no WorkflowTemplate %q in this file", name)
}

type result struct {
	File  string `json:"file"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Error string `json:"error"`
}

func check(parsed common.ParseResult, known templates) (string, error) {
	cluster := &templateresolution.NullClusterWorkflowTemplateGetter{}
	lint := validate.ValidateOpts{Lint: true}
	switch object := parsed.Object.(type) {
	case *wfv1.Workflow:
		return "Workflow", first(parsed.Err, func() error {
			return validate.ValidateWorkflow(known, cluster, object, nil, lint)
		})
	case *wfv1.WorkflowTemplate:
		lint.WorkflowTemplateValidation = true
		return "WorkflowTemplate", first(parsed.Err, func() error {
			return validate.ValidateWorkflowTemplate(known, cluster, object, nil, lint)
		})
	case *wfv1.CronWorkflow:
		return "CronWorkflow", first(parsed.Err, func() error {
			return validate.ValidateCronWorkflow(context.Background(), known, cluster, object, nil)
		})
	}
	return "", parsed.Err
}

func first(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func main() {
	logrus.SetOutput(io.Discard)
	out := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[1:] {
		body, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		objects := common.ParseObjects(body, true)
		known := templates{}
		for _, parsed := range objects {
			if template, ok := parsed.Object.(*wfv1.WorkflowTemplate); ok {
				known[template.Name] = template
			}
		}
		if len(objects) == 0 {
			_ = out.Encode(result{File: file, Error: "holds no object"})
		}
		for _, parsed := range objects {
			kind, err := check(parsed, known)
			found := result{File: file, Kind: kind}
			if parsed.Object != nil {
				found.Name = parsed.Object.GetName()
			}
			if err != nil {
				found.Error = err.Error()
			}
			_ = out.Encode(found)
		}
	}
}
