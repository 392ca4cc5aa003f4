;;; archive.el --- What a package archive would look at  -*- lexical-binding: t; -*-

(require 'support)
(require 'checkdoc)
(require 'lisp-mnt)
(require 'package)

(defconst archive-files (directory-files (getenv "VAULTLS_ELISP") t "\\`vaultls.*\\.el\\'"))

;; Nothing of this has a conversation with the server.
(setq test-secrets nil)

(ert-deftest the-files-compile-without-a-warning ()
  (let ((byte-compile-error-on-warn t)
        (byte-compile-dest-file-function (lambda (_) (make-temp-file "vaultls" nil ".elc"))))
    (dolist (file archive-files)
      (should (eq t (byte-compile-file file))))))

(ert-deftest every-function-is-documented-as-emacs-wants-it ()
  (let (complaints)
    (let ((checkdoc-verb-check-experimental-flag nil)
          (checkdoc-create-error-function
           (lambda (text start _end &optional _)
             (push (format "%s:%s: %s" (file-name-nondirectory buffer-file-name)
                           (line-number-at-pos start) text)
                   complaints)
             nil)))
      (dolist (file archive-files)
        (with-current-buffer (find-file-noselect file)
          (checkdoc-current-buffer t)
          (kill-buffer))))
    (should-not complaints)))

(ert-deftest the-header-tells-what-is-needed ()
  (with-temp-buffer
    (insert-file-contents (locate-library "vaultls.el"))
    (let ((described (package-buffer-info)))
      (should (eq (package-desc-name described) 'vaultls))
      (should (equal (package-desc-reqs described) '((emacs (28 1)) (eglot (1 9))))))))

(ert-deftest the-linter-of-packages-is-content ()
  (skip-unless (require 'package-lint nil t))
  (let ((complaints nil)
        (package-archive-contents (list (list 'eglot (package-desc-create :name 'eglot :version '(1 9))))))
    (dolist (file archive-files)
      (with-current-buffer (find-file-noselect file)
        (setq-local package-lint-main-file (locate-library "vaultls.el"))
        (pcase-dolist (`(,line ,_column ,_kind ,text) (package-lint-buffer))
          ;; The page is named by whoever publishes, and what of Eglot is released is not looked up here.
          (unless (string-match-p "Homepage or URL\\|uninstallable in all released" text)
            (push (format "%s:%s: %s" (file-name-nondirectory file) line text) complaints)))
        (kill-buffer)))
    (should-not complaints)))

(ert-deftest the-modes-are-there-before-the-package-is-loaded ()
  ;; What a package archive generates, read by an Emacs that knows nothing of the package yet.
  (let* ((folder (make-temp-file "autoloads" t))
         (output (expand-file-name "vaultls-autoloads.el" folder)))
    (dolist (file archive-files)
      (copy-file file (file-name-as-directory folder)))
    (unless (fboundp 'loaddefs-generate)
      (require 'autoload))
    (if (fboundp 'loaddefs-generate)
        (loaddefs-generate folder output)
      (let ((generated-autoload-file output) (backup-inhibited t))
        (with-suppressed-warnings ((obsolete update-directory-autoloads))
          (update-directory-autoloads folder))))
    (with-temp-buffer
      (insert-file-contents output)
      (let ((auto-mode-alist nil) (load-path load-path))
        (eval-buffer)
        (should (eq 'vaultls-http-mode (assoc-default "a.http" auto-mode-alist #'string-match)))
        (should (eq 'vaultls-http-mode (assoc-default "a.rest" auto-mode-alist #'string-match)))
        (should (eq 'vaultls-collection-mode
                    (assoc-default "shop.postman_collection.json" auto-mode-alist #'string-match)))))))

(ert-deftest commands-are-offered-where-they-apply ()
  (let ((commands (cl-remove-if-not (lambda (symbol)
                                      (and (commandp symbol) (not (string-search "--" (symbol-name symbol)))))
                                    (apropos-internal "\\`vaultls-"))))
    (should (> (length commands) 25))
    (dolist (command commands)
      (unless (memq command '(vaultls-http-mode vaultls-collection-mode))
        (should (get command 'completion-predicate))))
    (with-temp-buffer
      (should-not (command-completion-default-include-p 'vaultls-run (current-buffer)))
      (should-not (command-completion-default-include-p 'vaultls-send-again (current-buffer)))
      (delay-mode-hooks (vaultls-http-mode))
      (should (command-completion-default-include-p 'vaultls-run (current-buffer)))
      (should-not (command-completion-default-include-p 'vaultls-send-again (current-buffer))))))
