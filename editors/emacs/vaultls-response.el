;;; vaultls-response.el --- Responses of vaultls  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Shows responses beside the file they belong to, and keeps the last ones.  They are in memory only.

;;; Code:

(require 'cl-lib)
(require 'hideshow)
(require 'seq)
(require 'subr-x)
(require 'vaultls-client)

(defconst vaultls--response-buffer "*vaultls response*"
  "The buffer that shows a response.")

(defconst vaultls--max-coloured (* 512 1024)
  "A body with more characters is shown as plain text, which is fast.")

(cl-defstruct (vaultls--record (:constructor vaultls--make-record) (:copier nil))
  "A response that is kept, with the notes on it and a function that sends its request again."
  response notes again)

(defvar vaultls--records nil
  "The responses that are kept, the newest first.")

(defvar-local vaultls--record nil
  "The response that this buffer shows.")
(put 'vaultls--record 'permanent-local t)

(defvar-local vaultls--part 'body
  "What is shown of it: `body' or `headers'.")
(put 'vaultls--part 'permanent-local t)

(defvar vaultls-response-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "q") #'quit-window)
    (define-key map (kbd "TAB") #'vaultls-toggle-headers)
    (define-key map (kbd "p") #'vaultls-older-response)
    (define-key map (kbd "n") #'vaultls-newer-response)
    (define-key map (kbd "l") #'vaultls-responses)
    (define-key map (kbd "g") #'vaultls-send-again)
    (define-key map (kbd "w") #'vaultls-copy-body)
    (define-key map (kbd "RET") #'vaultls-toggle-fold)
    (define-key map (kbd "?") #'describe-mode)
    map)
  "Keys of a response.")

(define-minor-mode vaultls-response-mode
  "Minor mode of a buffer that shows a response.  It is in no file.

\\{vaultls-response-mode-map}"
  :lighter " Response"
  (setq buffer-read-only t))

;;;; Showing

(defun vaultls--show-response (response notes again)
  "Show RESPONSE with NOTES in another window; AGAIN sends its request again.
Nothing of it is written to disk."
  (let ((record (vaultls--make-record :response response :notes notes :again again)))
    (push record vaultls--records)
    (setq vaultls--records (seq-take vaultls--records (max 1 vaultls-kept-responses)))
    (vaultls--show-record record)
    (dolist (note notes) (vaultls--say note))))

(defun vaultls--show-record (record)
  "Show the body of RECORD, beside the file or in place of the response shown."
  (with-current-buffer (get-buffer-create vaultls--response-buffer)
    (setq vaultls--record record)
    (vaultls--fill 'body)
    (let ((window (display-buffer (current-buffer) '((display-buffer-reuse-window display-buffer-pop-up-window)))))
      (when window
        (set-window-point window (point-min))
        (set-window-start window (point-min))))))

(defun vaultls--fill (part)
  "Fill this buffer with PART of its response."
  (let* ((inhibit-read-only t)
         ;; A body that names local variables sets none.
         (enable-local-variables nil) (enable-dir-local-variables nil)
         (response (vaultls--record-response vaultls--record))
         (type (if (eq part 'body) (vaultls--body-type response) #'text-mode)))
    (buffer-disable-undo)
    (erase-buffer)
    (setq buffer-auto-save-file-name nil
          vaultls--part part)
    (insert (if (eq part 'body) (vaultls--body-text response) (vaultls--headers-text vaultls--record)))
    (goto-char (point-min))
    ;; What the person's hooks start for files of this type has nothing to do here.
    (let ((inhibit-message t))
      (delay-mode-hooks (funcall type))
      (font-lock-mode 1)
      (vaultls--allow-folding))
    (vaultls-response-mode)
    (setq header-line-format (vaultls--headline vaultls--record))
    (set-buffer-modified-p nil)))

(defun vaultls--body-text (response)
  "The body of RESPONSE as it is shown."
  (string-replace "\r\n" "\n" (or (and vaultls-format-json (plist-get response :shown))
                                   (plist-get response :body))))

(defconst vaultls--body-modes
  '(("json" vaultls--json-mode) ("html" html-mode) ("xhtml" html-mode) ("xml" xml-mode) ("svg" xml-mode)
    ("css" css-mode) ("javascript" js-mode) ("yaml" yaml-ts-mode yaml-mode) ("csv" csv-mode))
  "The modes for a body, by the last word of its media type.  The first that is there is taken.")

(defalias 'vaultls--json-mode
  (if (fboundp 'js-json-mode) 'js-json-mode 'js-mode)
  "The mode that Emacs has for JSON.")

(defun vaultls--body-type (response)
  "The major mode for the body of RESPONSE."
  (let* ((header (or (cdr (assoc "content-type" (vaultls--headers response))) ""))
         (media (string-trim (downcase (car (split-string header ";")))))
         (words (split-string media "[^a-z0-9]+" t)))
    (cond ((or (eq (plist-get response :binary) t) (> (length (plist-get response :body)) vaultls--max-coloured))
           #'fundamental-mode)
          ((cl-some (lambda (word) (cl-find-if #'vaultls--usable-p (cdr (assoc word vaultls--body-modes))))
                    (list (car (last words)) (cadr words))))
          (t #'text-mode))))

(defun vaultls--usable-p (mode)
  "Whether MODE is there and needs no grammar that may be missing."
  (and (fboundp mode)
       (or (not (string-suffix-p "-ts-mode" (symbol-name mode)))
           (and (fboundp 'treesit-ready-p) (treesit-ready-p 'yaml t)))))

(defun vaultls--headers (response)
  "The headers of RESPONSE, an alist by lower-cased name."
  (mapcar (lambda (header) (cons (downcase (elt header 0)) (elt header 1))) (plist-get response :headers)))

(defun vaultls--headline (record)
  "The line above RECORD: status, time and size, what is shown of it, and which of the responses it is."
  (let* ((response (vaultls--record-response record))
         (position (cl-position record vaultls--records))
         (count (length vaultls--records))
         (headers (format "Headers (%d)" (length (plist-get response :headers)))))
    (concat
     " " (propertize (vaultls--bar-text (format "%d %s" (plist-get response :status) (plist-get response :reason)))
                     'face (vaultls--status-face (plist-get response :status)))
     (format "  %s  %s%s   " (vaultls--duration (plist-get response :millis))
             (file-size-human-readable (plist-get response :bytes) 'iec " ")
             (if (eq (plist-get response :truncated) t) "  cut short" ""))
     (vaultls--tab "Body" (eq vaultls--part 'body)) " " (vaultls--tab headers (eq vaultls--part 'headers))
     (and position (> count 1) (format "   %d/%d" (- count position) count))
     (concat "   TAB switches" (and (> count 1) "  n/p others") "  RET folds  g again  q closes"))))

(defun vaultls--bar-text (text)
  "TEXT for a mode line, where a percent sign would begin a construct."
  (string-replace "%" "%%" (vaultls--clean text)))

(defun vaultls--tab (text shown)
  "TEXT of a part of a response, to be clicked unless it is SHOWN."
  (if shown (propertize text 'face '(:weight bold :inverse-video t))
    (let ((map (make-sparse-keymap)))
      (define-key map [header-line mouse-1] #'vaultls-click-tab)
      (propertize text 'face 'underline 'mouse-face 'highlight 'help-echo "Show this" 'local-map map))))

(defun vaultls-click-tab (event)
  "Show the other part of the response that EVENT is on."
  (interactive "e")
  (with-current-buffer (window-buffer (posn-window (event-start event)))
    (vaultls-toggle-headers)))

(defun vaultls--headers-text (record)
  "The request that RECORD answers, its status line, headers and notes."
  (string-join (vaultls--header-lines (vaultls--record-response record) (vaultls--record-notes record)) "\n"))

(defun vaultls--header-lines (response notes)
  "The request that RESPONSE answers, its status line and headers, and NOTES, as lines."
  (mapcar #'vaultls--clean
          `(,(format "%s %s" (plist-get response :method) (plist-get response :url))
            ,@(mapcar (lambda (redirect) (format "  %s to %s" (elt redirect 0) (elt redirect 1)))
                      (plist-get response :redirects))
            ,(format "%s %s %s" (plist-get response :version) (plist-get response :status)
                     (plist-get response :reason))
            ,@(mapcar (lambda (header) (format "%s: %s" (elt header 0) (elt header 1)))
                      (plist-get response :headers))
            ,@(and notes (cons "" notes)))))

(defun vaultls--status-face (status)
  "The face for STATUS of a response."
  (cond ((< status 400) 'success) ((< status 500) 'warning) (t 'error)))

(defun vaultls--duration (millis)
  "MILLIS for people."
  (if (< millis 1000) (format "%d ms" millis) (format "%.2f s" (/ millis 1000.0))))

;;;; Commands of a response

(defun vaultls--shown ()
  "The response that this buffer shows."
  (or vaultls--record (user-error "This is no response")))

(defun vaultls-toggle-headers ()
  "Show the headers in place of the body, and the other way round."
  (interactive)
  (vaultls--shown)
  (vaultls--fill (if (eq vaultls--part 'body) 'headers 'body)))

(defun vaultls-older-response (&optional count)
  "Show the response before this one, or the one COUNT before it."
  (interactive "p")
  (let* ((record (vaultls--shown))
         (position (or (cl-position record vaultls--records) 0))
         (wanted (min (max 0 (+ position (or count 1))) (1- (length vaultls--records)))))
    (if (eq wanted position) (vaultls--say (if (> (or count 1) 0) "this is the oldest" "this is the newest"))
      (setq vaultls--record (nth wanted vaultls--records))
      (vaultls--fill 'body))))

(defun vaultls-newer-response (&optional count)
  "Show the response after this one, or the one COUNT after it."
  (interactive "p")
  (vaultls-older-response (- (or count 1))))

(defun vaultls-responses ()
  "Choose one of the responses that are kept, and show it."
  (interactive)
  (unless vaultls--records (user-error "There is no response yet"))
  (let* ((count (length vaultls--records))
         (choices (cl-loop for record in vaultls--records
                           for number downfrom count
                           collect (cons (vaultls--record-text record number) record))))
    (when-let ((record (cdr (assoc (vaultls--choose "Response:" choices) choices))))
      (vaultls--show-record record))))

(defun vaultls--record-text (record number)
  "RECORD as a line of a list, where it is NUMBER."
  (let ((response (vaultls--record-response record)))
    (vaultls--clean (format "%d  %d  %s %s" number (plist-get response :status)
                            (plist-get response :method) (plist-get response :url)))))

(defun vaultls-send-again ()
  "Send the request of this response again."
  (interactive)
  (funcall (or (vaultls--record-again (vaultls--shown)) (user-error "Its file is not open any more"))))

(defun vaultls-copy-body ()
  "Copy the body as it was received; what is masked stays so."
  (interactive)
  (kill-new (plist-get (vaultls--record-response (vaultls--shown)) :body))
  (vaultls--say "copied"))

(defun vaultls--allow-folding ()
  "Let blocks of this buffer be folded, where its mode has blocks."
  (when-let ((rule (cond ((derived-mode-p 'js-mode 'js-json-mode 'css-mode) '("[[{]" "[]}]" "\0"))
                         ((derived-mode-p 'html-mode 'nxml-mode)
                          '("<!--\\|<[^/>]*[^/]>" "-->\\|</[^/>]*[^/]>" "<!--" sgml-skip-tag-forward nil)))))
    (require 'sgml-mode)
    (setq-local hs-special-modes-alist (list (cons major-mode rule)))
    (hs-minor-mode 1)))

(defun vaultls-toggle-fold ()
  "Fold the block that begins in this line, or that point is in; unfold it if it is folded."
  (interactive)
  (unless (bound-and-true-p hs-minor-mode)
    (user-error "This body has no blocks to fold"))
  (end-of-line)
  (if (hs-already-hidden-p) (hs-show-block) (hs-hide-block)))

(provide 'vaultls-response)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-response.el ends here
