;;; editing.el --- What the server says is shown, and the modes colour  -*- lexical-binding: t; -*-

(require 'support)

(defun editing-open (&rest lines)
  "Open a file of LINES."
  (let ((name (format "editing-%s.http" (cl-gensym))))
    (apply #'test-write name lines)
    (test-open name)))

(defun editing-face (text)
  "The face of TEXT in this buffer."
  (font-lock-ensure)
  (test-go-to text)
  (get-text-property (point) 'face))

(test-write "vaultls.toml" "")

(ert-deftest a-missing-secret-is-diagnosed ()
  (editing-open "GET https://api.example.com/" "Authorization: Bearer <<vault:nowhere>>")
  (test-wait "the diagnostic" (lambda () (test-diagnosed "missing")))
  (should (eq major-mode 'vaultls-http-mode)))

(ert-deftest diagnostics-follow-what-is-typed ()
  (editing-open "GET https://api.example.com/" "X-Key: plain")
  (goto-char (point-max))
  (insert "X-Other: <<vault:typed>>\n")
  (test-sync)
  (test-wait "the diagnostic" (lambda () (test-diagnosed "missing")))
  (set-buffer-modified-p nil))

(ert-deftest a-reference-is-explained-where-point-is ()
  (editing-open "GET https://api.example.com/" "Authorization: Bearer <<vault:hovered>>")
  (test-go-to "hovered")
  (let (shown)
    (dolist (function eldoc-documentation-functions)
      (when (functionp function)
        (funcall function (lambda (text &rest _) (when text (push (format "%s" text) shown))))))
    (test-wait "the explanation" (lambda () (cl-some (lambda (text) (string-search "hovered" text)) shown)))))

(ert-deftest names-are-completed ()
  (editing-open "@token = one" "GET https://api.example.com/{{}}")
  (test-go-to "}}")
  (let* ((found (run-hook-with-args-until-success 'completion-at-point-functions))
         (names (all-completions "" (nth 2 found))))
    (should (cl-some (lambda (name) (string-search "token" name)) names))))

(ert-deftest a-secret-is-renamed-everywhere ()
  (editing-open "GET https://api.example.com/<<vault:before>>" "X-Key: <<vault:before>>")
  (test-go-to "before")
  (eglot-rename "after")
  (should (equal (buffer-string) "GET https://api.example.com/<<vault:after>>\nX-Key: <<vault:after>>\n"))
  (set-buffer-modified-p nil))

(ert-deftest a-definition-is-found ()
  (editing-open "@token = one" "GET https://api.example.com/{{token}}")
  (test-go-to "token}}")
  (let ((found (xref-backend-definitions 'eglot (xref-backend-identifier-at-point 'eglot))))
    (should (= 1 (xref-location-line (xref-item-location (car found)))))))

(ert-deftest requests-are-listed ()
  (editing-open "### First" "GET https://a.example" "" "### Second" "GET https://b.example")
  (let ((index (format "%S" (funcall imenu-create-index-function))))
    (should (string-search "First" index))
    (should (string-search "Second" index))))

(ert-deftest a-collection-is-understood ()
  (test-write "shop.postman_collection.json"
              "{\"info\": {\"name\": \"Shop\", \"schema\":"
              " \"https://schema.getpostman.com/json/collection/v2.1.0/collection.json\"},"
              " \"item\": [{\"name\": \"One\", \"request\":"
              "  {\"method\": \"GET\", \"url\": \"https://a.example/{{vault:gone}}\"}}]}")
  (test-open "shop.postman_collection.json")
  (should (eq major-mode 'vaultls-collection-mode))
  (test-wait "the diagnostic" (lambda () (test-diagnosed "missing")))
  (should (eq (editing-face "{{vault:gone}}") 'vaultls-reference)))

(ert-deftest the-parts-of-a-request-have-their-colours ()
  (editing-open "### Title" "# note" "@a = b" "POST https://a.example/{{a}}" "X-Key: <<vault:k>>" "" "{{vault:k}}")
  (should (eq (editing-face "### Title") 'font-lock-doc-face))
  (should (eq (editing-face "# note") 'font-lock-comment-face))
  (should (eq (editing-face "POST") 'font-lock-keyword-face))
  (should (eq (editing-face "https") 'font-lock-function-name-face))
  (should (eq (editing-face "{{a}}") 'font-lock-variable-name-face))
  (should (eq (editing-face "X-Key") 'font-lock-type-face))
  (should (eq (editing-face "<<vault:k>>") 'vaultls-reference))
  (should (eq (editing-face "{{vault:k}}") 'vaultls-reference)))

(ert-deftest the-name-at-point-is-known ()
  (editing-open "GET https://a.example/<<vault:one>>/<< vault: two words >>/{{vault:three}}")
  (test-go-to "one>>")
  (should (equal (vaultls--name-at-point) "one"))
  (test-go-to "words")
  (should (equal (vaultls--name-at-point) "two words"))
  (test-go-to "three")
  (should (equal (vaultls--name-at-point) "three"))
  (test-go-to "GET")
  (should-not (vaultls--name-at-point)))

(ert-deftest a-body-is-shown-as-the-server-laid-it-out-or-as-it-came ()
  (let ((response '(:body "[1]\r\n" :shown "[\n  1\n]")))
    (should (equal (vaultls--body-text response) "[\n  1\n]"))
    (let ((vaultls-format-json nil))
      (should (equal (vaultls--body-text response) "[1]\n")))
    (should (equal (vaultls--body-text '(:body "as it came")) "as it came"))))

(ert-deftest control-characters-are-made-visible ()
  (should (equal (vaultls--clean "a\nb\e[31m\u202Ec") "a\\x0ab\\x1b[31m\\x202ec")))

(ert-deftest a-page-that-is-none-is-not-opened ()
  (should (vaultls--page-p "https://login.example/x"))
  (should-not (vaultls--page-p "file:///etc/passwd"))
  (should-not (vaultls--page-p "javascript:alert(1)\nhttps://a.example")))
