;;; lenses.el --- A line above each request that sends it  -*- lexical-binding: t; -*-

(require 'support)

(defconst lenses-address (test-serve))

(test-write "vaultls.toml" "")

(defun lenses-open (&rest lines)
  "Open a file of LINES."
  (test-forget-response)
  (setq test-requests nil)
  (let ((name (format "lenses-%s.http" (cl-gensym))))
    (apply #'test-write name lines)
    (test-open name)))

(defun lenses-shown ()
  "The lines above requests, each with the number of the line below it."
  (mapcar (lambda (overlay)
            (cons (line-number-at-pos (overlay-start overlay))
                  (string-trim-right (substring-no-properties (overlay-get overlay 'before-string)))))
          (vaultls--lenses)))

(defun lenses-wait-for (expected)
  "Wait until exactly the lenses EXPECTED are shown."
  (condition-case nil
      (test-wait "the lenses" (lambda () (equal (lenses-shown) expected)))
    (ert-test-failed (should (equal (lenses-shown) expected)))))

(ert-deftest each-request-has-a-line-that-tells-what-it-lacks ()
  (lenses-open "### One" "GET https://a.example/" "" "### Two" "GET https://b.example/" "X-Key: <<vault:nowhere>>")
  (lenses-wait-for '((2 . "▷ Send") (5 . "▷ Send (1 secret unavailable)")))
  (should-not (buffer-modified-p)))

(ert-deftest the-lines-follow-what-is-typed ()
  (lenses-open "GET https://a.example/")
  (lenses-wait-for '((1 . "▷ Send")))
  (goto-char (point-min))
  (insert "# a note\n")
  (goto-char (point-max))
  (insert "\n### Two\nGET https://b.example/\n")
  (test-sync)
  (lenses-wait-for '((2 . "▷ Send") (5 . "▷ Send")))
  (set-buffer-modified-p nil))

(ert-deftest the-lines-follow-what-the-server-learns ()
  (lenses-open (format "GET %s/" lenses-address) "X-Key: <<vault:learned>>")
  (lenses-wait-for '((1 . "▷ Send (1 secret unavailable)")))
  (test-with-person (:hide (list test-canary))
    (vaultls-create "learned")
    (lenses-wait-for `((1 . ,(format "▷ Send (asks about %s)" lenses-address))))))

(ert-deftest a-click-sends-the-request-below ()
  (lenses-open "### One" (format "GET %s/one" lenses-address) "" "### Two" (format "GET %s/two" lenses-address))
  (lenses-wait-for '((2 . "▷ Send") (5 . "▷ Send")))
  (goto-char (point-min))
  (let ((here (point))
        (map (get-text-property 0 'keymap (overlay-get (cadr (vaultls--lenses)) 'before-string))))
    (test-with-person (:choose nil)
      (call-interactively (lookup-key map [mouse-1]))
      (should (string-search "\"path\": \"/two\"" (test-response))))
    (should (= here (point)))
    (should (cl-some (lambda (overlay)
                       (and (overlay-get overlay 'vaultls) (= 5 (line-number-at-pos (overlay-start overlay)))))
                     (overlays-in (point-min) (point-max))))))

(ert-deftest a-key-does-the-same-from-anywhere-in-the-request ()
  (lenses-open "### One" (format "GET %s/one" lenses-address) "X-A: b" "" "### Two" (format "GET %s/two" lenses-address))
  (lenses-wait-for '((2 . "▷ Send") (6 . "▷ Send")))
  (test-go-to "X-A")
  (test-with-person (:choose nil)
    (call-interactively (key-binding (kbd "C-c RET")))
    (should (string-search "\"path\": \"/one\"" (test-response)))))

(ert-deftest where-there-is-no-request-the-key-says-so ()
  (lenses-open "# nothing here")
  (should-error (vaultls-lens-act) :type 'user-error))

(ert-deftest a-request-of-a-collection-has-its-line ()
  (test-write "shop.postman_collection.json"
              "{\"info\": {\"name\": \"Shop\", \"schema\":"
              " \"https://schema.getpostman.com/json/collection/v2.1.0/collection.json\"},"
              " \"item\": [{\"name\": \"One\","
              "  \"request\": {\"method\": \"GET\", \"url\": \"https://a.example/\"}}]}")
  (test-open "shop.postman_collection.json")
  (test-wait "the lens" (lambda () (cl-find "▷ Send" (lenses-shown) :key (lambda (lens) (string-trim (cdr lens)))
                                            :test #'equal))))

(ert-deftest whoever-wants-no-lines-has-none ()
  (lenses-open "GET https://a.example/")
  (lenses-wait-for '((1 . "▷ Send")))
  (vaultls-lens-mode -1)
  (should-not (lenses-shown))
  (let ((vaultls-lenses nil))
    (lenses-open "GET https://a.example/")
    (should-not vaultls-lens-mode)
    (test-wait "the server" (lambda () (eglot-current-server)))
    (test-sync)
    (should-not (lenses-shown))))

(ert-deftest the-lines-go-with-the-server ()
  (lenses-open "GET https://a.example/")
  (lenses-wait-for '((1 . "▷ Send")))
  (eglot-shutdown (eglot-current-server))
  (should-not (lenses-shown))
  (should-not vaultls-lens-mode)
  (test-open (file-name-nondirectory buffer-file-name))
  (lenses-wait-for '((1 . "▷ Send"))))
