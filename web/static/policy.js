// Refreshes the rule editor and the impact page in place. Every form works without this file: it posts the same forms
// to the same addresses and puts the page that comes back where the old one was. Focus, scroll, open folds and
// whatever was typed elsewhere meanwhile are carried over; `save` posts every form with something typed, one by one.
(function () {
  'use strict';
  var main = document.getElementById('main');
  var status = document.createElement('p');
  status.setAttribute('role', 'status');
  status.className = 'visually-hidden';
  document.body.appendChild(status);
  var busy = false;
  var sent = null; // key of the form on its way, and its values as they were sent
  var pending = null; // a form that was submitted meanwhile
  var saving = null; // while all forms are saved: the places of those already posted
  var timer = 0;
  var CELL = /^c\|/; // names of the cells of rows that are there

  function all(selector) { return Array.prototype.slice.call(main.querySelectorAll(selector)); }
  function keyOf(form) { var field = form.querySelector('input[name=form]'); return field ? field.value : form.getAttribute('action') || ''; }
  function typable(form) {
    return Array.prototype.filter.call(form.elements, function (e) { return e.name && e.type !== 'hidden' && e.type !== 'submit'; });
  }
  function nameOf(control) { return (control.id || control.name) + (control.type === 'radio' ? '=' + control.value : ''); }
  // several forms keep a test case: told apart by their first control
  function placeOf(form) { var first = typable(form)[0]; return keyOf(form) + ' ' + (first ? nameOf(first) : ''); }
  function live() { return all('form[data-live]'); }
  function formAt(place) { return live().filter(function (f) { return placeOf(f) === place; })[0]; }
  function controlsChanged(form) { return typable(form).some(function (c) { return valueOf(c) !== shownFirst(c); }); }
  // typed and not saved; after a refusal the page itself shows what was typed as its first values
  function dirty(form) {
    var refused = main.querySelector('[data-unsaved]');
    return controlsChanged(form) || Boolean(refused && refused.getAttribute('data-unsaved') === keyOf(form));
  }
  function wordOf(form) {
    var fold = form.closest('details');
    var heading = fold ? fold.querySelector('summary') : form.closest('section') && form.closest('section').querySelector('h2');
    return heading ? heading.textContent.replace(/\s+/g, ' ').trim() : '';
  }

  // says what is not saved: beside the button that saves all, and above a proof that speaks of the saved draft
  function mark() {
    var unsaved = live().filter(dirty);
    var old = document.getElementById('old');
    if (old) { old.hidden = unsaved.length === 0; old.parentElement.classList.toggle('old', unsaved.length > 0); }
    var note = main.querySelector('[data-dirty]');
    if (note) {
      note.hidden = unsaved.length === 0;
      note.textContent = note.getAttribute('data-dirty').replace('%(n)s', unsaved.length) + unsaved.map(wordOf).join(note.getAttribute('data-several'));
    }
  }

  // the value beside a chosen fact gets the keyboard and the list of its kind
  function fit(select) {
    var chosen = select.selectedOptions[0];
    var value = select.parentElement.querySelector('input');
    if (!chosen || !value || !/\|fact$/.test(select.name)) { return; }
    var kind = chosen.getAttribute('data-kind');
    var list = chosen.getAttribute('data-list');
    value.type = kind === 'date' && (!value.value || /^\d{4}-\d\d-\d\d$/.test(value.value)) ? 'date' : 'text';
    value.inputMode = kind === 'integer' ? 'numeric' : kind === 'decimal' || kind === 'number' ? 'decimal' : '';
    if (list) { value.setAttribute('list', list); } else { value.setAttribute('list', 'choices'); }
  }

  // a cell whose one value is picked from a list can still be written
  function writable(select) {
    if (select.querySelector('[data-write]')) { return; }
    var option = document.createElement('option');
    option.textContent = select.getAttribute('data-write');
    option.setAttribute('data-write', '');
    select.appendChild(option);
  }
  function write(select) {
    var input = document.createElement('input');
    var first = shownFirst(select);
    ['id', 'name', 'aria-label', 'form'].forEach(function (name) { if (select.hasAttribute(name)) { input.setAttribute(name, select.getAttribute(name)); } });
    input.className = 'form-control form-control-sm';
    input.defaultValue = first;
    if (document.getElementById(select.getAttribute('data-list'))) { input.setAttribute('list', select.getAttribute('data-list')); }
    select.replaceWith(input);
    input.focus();
  }
  function equip() {
    all('select[name$="|fact"]').forEach(fit);
    all('select[data-write]').forEach(writable);
    all('.js-only').forEach(function (e) { e.hidden = false; });
    mark();
  }
  // a message that floats over the page goes back to its place after a while
  function settle() {
    var note = main.querySelector('.sq-flash.stick');
    if (note && note.children.length) { setTimeout(function () { note.classList.remove('stick'); }, 9000); }
  }

  function valueOf(control) { return control.type === 'radio' || control.type === 'checkbox' ? control.checked : control.value; }
  function shownFirst(control) {
    if (control.type === 'radio' || control.type === 'checkbox') { return control.defaultChecked; }
    if (control.options) {
      var chosen = Array.prototype.filter.call(control.options, function (o) { return o.defaultSelected; })[0];
      return (chosen || control.options[0] || { value: '' }).value;
    }
    return control.defaultValue;
  }

  function typedElsewhere() {
    var kept = {};
    all('form').forEach(function (form) {
      var key = keyOf(form);
      typable(form).forEach(function (control) {
        var name = nameOf(control);
        var from = sent && sent.key === placeOf(form) && name in sent.values ? sent.values[name] : shownFirst(control);
        if (valueOf(control) !== from) { (kept[key] = kept[key] || {})[nameOf(control)] = valueOf(control); }
      });
    });
    return kept;
  }

  function putBack(kept) {
    all('form').forEach(function (form) {
      var values = kept[keyOf(form)];
      if (!values) { return; }
      typable(form).forEach(function (control) {
        if (!(nameOf(control) in values)) { return; }
        if (control.type === 'radio' || control.type === 'checkbox') { control.checked = values[nameOf(control)]; } else { control.value = values[nameOf(control)]; }
      });
    });
  }

  // an element of the old page and its like in the new one: by id, else by its place inside the nearest thing with one
  function spotOf(element, kind) {
    if (!element || element === main || !main.contains(element)) { return null; }
    if (element.id) { return { id: element.id }; }
    var home = element.parentElement.closest('[id]');
    return { id: home.id, kind: kind, n: Array.prototype.indexOf.call(home.querySelectorAll(kind), element) };
  }
  function elementAt(spot) {
    var home = spot && document.getElementById(spot.id);
    return home && spot.kind ? home.querySelectorAll(spot.kind)[spot.n] : home;
  }

  // `what` of the page is replaced: all of it after a form, only what was waited for after a look
  function put(page, what) {
    var kept = typedElsewhere();
    var told = saving && Object.keys(saving).length > 1 ? all('.sq-flash > *') : []; // what each save said
    var active = document.activeElement;
    var spot = spotOf(active, 'a, button, input, select, textarea, summary');
    var caret = spot ? [active.selectionStart, active.selectionEnd] : [];
    var height = spot ? active.getBoundingClientRect().top : 0;
    var open = all('details[open]').map(function (e) { return spotOf(e, 'details'); });
    var top = window.scrollY;
    what.forEach(function (selector) {
      var now = document.querySelector(selector);
      var fresh = page.querySelector(selector);
      if (now && fresh) { now.replaceWith(document.importNode(fresh, true)); }
    });
    main = document.getElementById('main');
    document.title = page.title;
    putBack(kept);
    var flash = main.querySelector('.sq-flash');
    if (flash) { told.reverse().forEach(function (e) { flash.insertBefore(e, flash.firstChild); }); }
    equip();
    settle();
    open.forEach(function (place) { var e = elementAt(place); if (e) { e.open = true; } });
    var wrong = sent && main.querySelector('.sq-errors[role=alert]');
    var next = elementAt(spot);
    // what is being looked at stays where it is on the screen, whatever came in above it
    if (!wrong) { window.scrollTo({ top: next ? window.scrollY + next.getBoundingClientRect().top - height : top, behavior: 'instant' }); }
    if (wrong || (next && next !== document.activeElement)) { (wrong || next).focus({ preventScroll: !wrong }); }
    if (!wrong && next && typeof caret[0] === 'number') { next.setSelectionRange(caret[0], caret[1]); }
    var said = main.querySelector('[data-announce]');
    status.textContent = [flash ? flash.textContent : '', said ? said.textContent : ''].join(' ').replace(/\s+/g, ' ').trim();
    if (wrong) { saving = null; }
    if (!saving && !wrong && !pending) { pending = changedMeanwhile(kept); }
  }

  function ask(address, body) {
    busy = true;
    main.setAttribute('aria-busy', 'true');
    fetch(address, { method: body ? 'POST' : 'GET', body: body, credentials: 'same-origin' }).then(function (answer) {
      var at = answer.url.split('#')[0];
      return answer.text().then(function (text) {
        var page = new DOMParser().parseFromString(text, 'text/html');
        var whole = body && page.getElementById('main');
        var waited = !body && at === location.href.split('#')[0] && page.getElementById(polled().id);
        if (body && answer.ok) { history.replaceState(null, '', at); }
        if (whole) { put(page, ['#main']); } else if (waited) { put(page, ['#' + waited.id, '.sq-wiz']); } else { location.assign(at); }
      });
    }).catch(function () {
      saving = null;
      // no answer: what was typed stays where it is, the button sends it again
      var lost = document.getElementById('lost');
      if (lost) { lost.hidden = false; status.textContent = lost.textContent; }
    }).then(function () {
      busy = false;
      sent = null;
      main.removeAttribute('aria-busy');
      var next = pending;
      pending = null;
      var form = next && next.place && formAt(next.place);
      if (form) { send(form, next.button, next.only); } else if (saving || (next && next.all)) { saveAll(); } else { wait(); }
    });
  }

  // values that were changed while another save was on its way: the next to be saved
  function changedMeanwhile(kept) {
    var form = document.getElementById(kept.say ? 'f-say' : 'f-grid');
    var cells = Object.keys(kept.grid || {}).some(function (name) { return name.indexOf('c-') === 0; });
    return form && (kept.say || cells) ? { place: placeOf(form), only: kept.say ? null : CELL } : null;
  }

  // every form with something typed, one after the other: each answer brings the revision the next one needs
  function saveAll() {
    if (busy) { pending = { all: true }; return; }
    saving = saving || {};
    var next = live().filter(function (f) { return dirty(f) && !saving[placeOf(f)]; })[0];
    if (next) { saving[placeOf(next)] = true; send(next); return; }
    var none = Object.keys(saving).length === 0;
    saving = null;
    if (none) { send(document.getElementById('f-say')); } else { wait(); }
  }

  // `only` names what of the form is to be saved; the rest stays typed
  function send(form, button, only) {
    var named = button && button.name ? { name: button.name, value: button.value } : null;
    if (busy) {
      if (form.id !== 'f-say' && !only) { pending = { place: placeOf(form), button: named }; }
      return;
    }
    var data = new FormData(form);
    if (named) { data.append(named.name, named.value); }
    sent = { key: placeOf(form), values: {} };
    typable(form).forEach(function (control) {
      if (only && !only.test(control.name)) { data.delete(control.name); } else { sent.values[nameOf(control)] = valueOf(control); }
    });
    ask(form.getAttribute('action'), new URLSearchParams(data));
  }

  document.addEventListener('submit', function (event) {
    if (!event.target.hasAttribute('data-live')) { return; }
    event.preventDefault();
    if (event.target.id === 'f-say') { saveAll(); } else { send(event.target, event.submitter); }
  });
  // a changed value of a sentence or a cell is saved at once, so that the proof beside it speaks of what is seen; a row
  // that is being written is not
  document.addEventListener('change', function (event) {
    var control = event.target;
    var form = control.form;
    if (!form || !main.contains(control)) { return; }
    if (control.selectedOptions && control.selectedOptions[0] && control.selectedOptions[0].hasAttribute('data-write')) { write(control); return; }
    if (/\|fact$/.test(control.name)) { fit(control); }
    mark();
    if (form.id === 'f-say' && control.type !== 'hidden') { send(form); }
    if (form.id === 'f-grid' && CELL.test(control.name)) { send(form, null, CELL); }
  });
  document.addEventListener('input', mark);
  document.addEventListener('click', function (event) {
    var link = event.target.closest('[data-open]');
    var fold = link && document.getElementById(link.getAttribute('data-open'));
    if (fold) { fold.open = true; }
  });
  window.addEventListener('beforeunload', function (event) {
    if (live().some(dirty)) { event.preventDefault(); }
  });

  function polled() { return main.querySelector('[data-poll]'); }
  function wait() {
    clearTimeout(timer);
    var poll = polled();
    if (poll) { timer = setTimeout(function () { if (busy) { wait(); } else { ask(location.href.split('#')[0]); } }, Number(poll.getAttribute('data-poll'))); }
  }
  equip();
  settle();
  wait();
}());
