// Argolint36 checks manifests with the validation of Argo 3.6, as argolint does with those of later versions.
//
// It reads the files named as arguments and prints one JSON object a line for each document in them:
// {"file", "error"}; the error is empty when the document is fine.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	"github.com/argoproj/argo-workflows/v3/workflow/templateresolution"
	"github.com/argoproj/argo-workflows/v3/workflow/validate"
)

// templates are the WorkflowTemplates of one file, by name.
type templates map[string]*wfv1.WorkflowTemplate

func (t templates) Get(name string) (*wfv1.WorkflowTemplate, error) {
	if found, ok := t[name]; ok {
		return found, nil
	}
	return nil, fmt.Errorf("there is no WorkflowTemplate %q in this file", name)
}

func check(body []byte) []error {
	objects := common.ParseObjects(body, true)
	known := templates{}
	for _, parsed := range objects {
		if template, ok := parsed.Object.(*wfv1.WorkflowTemplate); ok {
			known[template.Name] = template
		}
	}
	cluster := &templateresolution.NullClusterWorkflowTemplateGetter{}
	found := []error{}
	for _, parsed := range objects {
		err := parsed.Err
		switch object := parsed.Object.(type) {
		case *wfv1.Workflow:
			if err == nil {
				err = validate.ValidateWorkflow(known, cluster, object, validate.ValidateOpts{Lint: true})
			}
		case *wfv1.WorkflowTemplate:
			if err == nil {
				err = validate.ValidateWorkflowTemplate(known, cluster, object,
					validate.ValidateOpts{Lint: true, WorkflowTemplateValidation: true})
			}
		case *wfv1.CronWorkflow:
			if err == nil {
				err = validate.ValidateCronWorkflow(context.Background(), known, cluster, object)
			}
		}
		found = append(found, err)
	}
	if len(found) == 0 {
		found = append(found, fmt.Errorf("holds no object"))
	}
	return found
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[1:] {
		body, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		for _, err := range check(body) {
			text := ""
			if err != nil {
				text = err.Error()
			}
			_ = out.Encode(map[string]string{"file": file, "error": text})
		}
	}
}
