<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AlgorithmRun</name>
    <message>
      <source>it failed; the log has the details</source>
      <translation>es ist fehlgeschlagen; Näheres steht im Protokoll</translation>
    </message>
    <message>
      <source>the algorithm {0} is not there: enable the plugin GeoConcept</source>
      <translation>der Algorithmus {0} ist nicht vorhanden: aktivieren Sie die Erweiterung GeoConcept</translation>
    </message>
  </context>
  <context>
    <name>Bars</name>
    <message>
      <source>Strongest concepts of the place</source>
      <translation>Stärkste Konzepte des Ortes</translation>
    </message>
    <message>
      <source>pinned place: {0:.1f} %</source>
      <translation>angepinnter Ort: {0:.1f} %</translation>
    </message>
    <message>
      <source>{0:.1f} % of the reference places ({1}) score lower</source>
      <translation>{0:.1f} % der Referenzorte ({1}) haben einen niedrigeren Wert</translation>
    </message>
  </context>
  <context>
    <name>Catalogue</name>
    <message>
      <source>Drawing small maps</source>
      <translation>Kleine Karten werden gezeichnet</translation>
    </message>
    <message>
      <source>Reading concepts</source>
      <translation>Konzepte werden gelesen</translation>
    </message>
    <message>
      <source>The profile cannot be written, so nothing is kept for the next start: {0}</source>
      <translation>In das Profil kann nicht geschrieben werden, daher wird für den nächsten Start nichts aufbewahrt: {0}</translation>
    </message>
  </context>
  <context>
    <name>CompareConcepts</name>
    <message>
      <source>'{0}' is both concepts: choose two</source>
      <translation>„{0}“ ist beides Mal dasselbe Konzept: wählen Sie zwei verschiedene</translation>
    </message>
    <message>
      <source>Both concepts and their difference</source>
      <translation>Beide Konzepte und ihre Differenz</translation>
    </message>
    <message>
      <source>Cell by cell</source>
      <translation>Zelle für Zelle</translation>
    </message>
    <message>
      <source>Compare concepts</source>
      <translation>Konzepte vergleichen</translation>
    </message>
    <message>
      <source>Correlation over the area</source>
      <translation>Korrelation über das Gebiet</translation>
    </message>
    <message>
      <source>Correlation over the area: {0:.3f}</source>
      <translation>Korrelation über das Gebiet: {0:.3f}</translation>
    </message>
    <message>
      <source>High: a {0} of {1:g} or more. Cells count by their area.</source>
      <translation>Hoch: {0} von mindestens {1:g}. Zellen zählen nach ihrer Fläche.</translation>
    </message>
    <message>
      <source>No cell of the area has a value: it lies at sea, or off the Earth.</source>
      <translation>Keine Zelle des Gebiets hat einen Wert: es liegt im Meer oder außerhalb der Erde.</translation>
    </message>
    <message>
      <source>Over this area their scores have a correlation of {0:.2f}.</source>
      <translation>Über dieses Gebiet haben ihre Werte eine Korrelation von {0:.2f}.</translation>
    </message>
    <message>
      <source>Scores an area against two concepts and writes a GeoTIFF of three bands: the first, the second, and the first minus the second, in blue and red around zero.

Concepts: a name, one of your own concepts, or words ('words: olive groves').
Kind of score: percentiles can always be compared. Calibrated scores answer to how common each label is.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.

The report tells how strongly the two go together over the area and where both, one or none is high, weighted by area. Two concepts that go together are associated with the same places; neither makes the other.</source>
      <translation>Bewertet ein Gebiet nach zwei Konzepten und schreibt ein GeoTIFF mit drei Kanälen: das erste, das zweite, und das erste minus das zweite, in Blau und Rot um null.

Konzepte: ein Name, eines Ihrer eigenen Konzepte oder Wörter ('words: olive groves').
Art des Werts: Perzentile lassen sich immer vergleichen. Kalibrierte Werte hängen davon ab, wie häufig jedes Merkmal ist.
Zellengröße: in Einheiten des KBS; 0 ergibt etwa 400 Zellen entlang der längeren Seite.

Der Bericht sagt, wie eng die beiden über das Gebiet zusammengehen und wo beide, eines oder keines hoch ist, nach Fläche gewichtet. Zwei Konzepte, die zusammengehen, sind mit denselben Orten verbunden; keines bewirkt das andere.</translation>
    </message>
    <message>
      <source>The two concepts</source>
      <translation>Die beiden Konzepte</translation>
    </message>
    <message>
      <source>Where each is high</source>
      <translation>Wo jedes hoch ist</translation>
    </message>
    <message>
      <source>Yellow: much of the area has these two scores (on a logarithmic scale).</source>
      <translation>Gelb: viel vom Gebiet hat diese beiden Werte (auf einer logarithmischen Skala).</translation>
    </message>
    <message>
      <source>both high</source>
      <translation>beide hoch</translation>
    </message>
    <message>
      <source>give one concept for {0}; got {1}</source>
      <translation>geben Sie für {0} genau ein Konzept an; es sind {1}</translation>
    </message>
    <message>
      <source>neither high</source>
      <translation>keines hoch</translation>
    </message>
    <message>
      <source>only {0} high</source>
      <translation>nur {0} hoch</translation>
    </message>
    <message>
      <source>places with</source>
      <translation>Orte mit</translation>
    </message>
    <message>
      <source>share of the area</source>
      <translation>Anteil am Gebiet</translation>
    </message>
    <message>
      <source>{0} and {1}</source>
      <translation>{0} und {1}</translation>
    </message>
    <message>
      <source>{0} minus {1}</source>
      <translation>{0} minus {1}</translation>
    </message>
  </context>
  <context>
    <name>CompareLayers</name>
    <message>
      <source>Band</source>
      <translation>Kanal</translation>
    </message>
    <message>
      <source>Block, in degrees (0: automatic)</source>
      <translation>Block in Grad (0: automatisch)</translation>
    </message>
    <message>
      <source>Blocks</source>
      <translation>Blöcke</translation>
    </message>
    <message>
      <source>Cells of the raster</source>
      <translation>Zellen des Rasters</translation>
    </message>
    <message>
      <source>Compare with a layer</source>
      <translation>Mit einem Layer vergleichen</translation>
    </message>
    <message>
      <source>Field</source>
      <translation>Feld</translation>
    </message>
    <message>
      <source>It is associated most with '{0}': Spearman {1:.2f} (95 % interval {2:.2f} to {3:.2f}).</source>
      <translation>Am stärksten damit verbunden ist „{0}“: Spearman {1:.2f} (95-%-Intervall {2:.2f} bis {3:.2f}).</translation>
    </message>
    <message>
      <source>Kind of score</source>
      <translation>Art des Werts</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Layer</translation>
    </message>
    <message>
      <source>Places</source>
      <translation>Orte</translation>
    </message>
    <message>
      <source>Seed of random draws</source>
      <translation>Startwert der Zufallsziehungen</translation>
    </message>
    <message>
      <source>Spearman's correlation is of ranks: it finds whatever rises together. The interval is where 95 % of resamples of whole blocks fall; places side by side are alike and count as one draw.</source>
      <translation>Die Korrelation nach Spearman vergleicht Ränge: sie findet alles, was miteinander steigt. Das Intervall ist der Bereich, in dem 95 % der Ziehungen ganzer Blöcke liegen; Orte nebeneinander sind ähnlich und zählen als eine Ziehung.</translation>
    </message>
    <message>
      <source>Spearman's correlation of the first concept</source>
      <translation>Korrelation des ersten Konzepts nach Spearman</translation>
    </message>
    <message>
      <source>Tells how strongly concepts go together with numbers that you have: a field of a vector layer, or a band of a raster.

Layer and field, or raster and band. Areas and lines count by a point on them. Features and cells without a value are counted and said.
Cells of the raster: so many are drawn at random.
Block: places within a block of this many degrees count as one draw, since places side by side are alike; 0 chooses a size that leaves at least 20 blocks.

The report gives Spearman's and Pearson's correlation with a 95 % interval from resampled blocks, and a picture of each. A correlation says that two things are associated; it does not say why.</source>
      <translation>Sagt, wie eng Konzepte mit Zahlen zusammengehen, die Sie haben: einem Feld eines Vektorlayers oder einem Kanal eines Rasters.

Layer und Feld, oder Raster und Kanal. Flächen und Linien zählen mit einem Punkt auf ihnen. Objekte und Zellen ohne Wert werden gezählt und genannt.
Zellen des Rasters: so viele werden zufällig gezogen.
Block: Orte innerhalb eines Blocks von so vielen Grad zählen als eine Ziehung, denn Orte nebeneinander sind ähnlich; 0 wählt eine Größe, die mindestens 20 Blöcke übrig lässt.

Der Bericht nennt die Korrelationen nach Spearman und Pearson mit einem 95-%-Intervall aus neu gezogenen Blöcken und zeigt zu jeder ein Bild. Eine Korrelation sagt, dass zwei Dinge miteinander verbunden sind; sie sagt nicht, warum.</translation>
    </message>
    <message>
      <source>Where the places lie.</source>
      <translation>Wo die Orte liegen.</translation>
    </message>
    <message>
      <source>With so few blocks the intervals are too narrow: take them as a lower bound.</source>
      <translation>Bei so wenigen Blöcken sind die Intervalle zu schmal: nehmen Sie sie als Untergrenze.</translation>
    </message>
    <message>
      <source>all values of '{0}' are the same</source>
      <translation>alle Werte von „{0}“ sind gleich</translation>
    </message>
    <message>
      <source>field '{0}' holds no numbers</source>
      <translation>das Feld „{0}“ enthält keine Zahlen</translation>
    </message>
    <message>
      <source>give either a layer with a field or a raster</source>
      <translation>geben Sie entweder einen Layer mit einem Feld oder ein Raster an</translation>
    </message>
    <message>
      <source>no place on Earth, left out</source>
      <translation>kein Ort auf der Erde, weggelassen</translation>
    </message>
    <message>
      <source>none</source>
      <translation>keine</translation>
    </message>
    <message>
      <source>only {0} blocks of {1:g} degrees: the intervals are too narrow</source>
      <translation>nur {0} Blöcke von {1:g} Grad: die Intervalle sind zu schmal</translation>
    </message>
    <message>
      <source>only {0} places have a value; a correlation needs at least {1}</source>
      <translation>nur {0} Orte haben einen Wert; eine Korrelation braucht mindestens {1}</translation>
    </message>
    <message>
      <source>or: raster</source>
      <translation>oder: Raster</translation>
    </message>
    <message>
      <source>places</source>
      <translation>Orte</translation>
    </message>
    <message>
      <source>raster '{0}' has no CRS: set it first</source>
      <translation>das Raster „{0}“ hat kein KBS: setzen Sie es zuerst</translation>
    </message>
    <message>
      <source>raster '{0}' has {1} band(s), and no band {2}</source>
      <translation>das Raster „{0}“ hat {1} Kanal/Kanäle und keinen Kanal {2}</translation>
    </message>
    <message>
      <source>raster '{0}' is no file that can be read</source>
      <translation>das Raster „{0}“ ist keine lesbare Datei</translation>
    </message>
    <message>
      <source>the layer has no field '{0}'; its numeric fields: {1}</source>
      <translation>der Layer hat kein Feld „{0}“; seine numerischen Felder: {1}</translation>
    </message>
    <message>
      <source>without a value, left out</source>
      <translation>ohne Wert, weggelassen</translation>
    </message>
    <message>
      <source>{0} beside concepts</source>
      <translation>{0} neben Konzepten</translation>
    </message>
    <message>
      <source>{0} of {1:g} degrees</source>
      <translation>{0} von {1:g} Grad</translation>
    </message>
    <message>
      <source>{0}, band {1}</source>
      <translation>{0}, Kanal {1}</translation>
    </message>
  </context>
  <context>
    <name>ConceptAlgorithm</name>
    <message>
      <source>({0:g}, {1:g}) is no place on Earth: give longitude and latitude, or name its CRS</source>
      <translation>({0:g}, {1:g}) ist kein Ort auf der Erde: geben Sie Länge und Breite an oder nennen Sie das KBS</translation>
    </message>
    <message>
      <source>95 % interval</source>
      <translation>95-%-Intervall</translation>
    </message>
    <message>
      <source>A place (instead of a layer)</source>
      <translation>Ein Ort (statt eines Layers)</translation>
    </message>
    <message>
      <source>Area</source>
      <translation>Gebiet</translation>
    </message>
    <message>
      <source>CRS of the cells (default: that of the area)</source>
      <translation>KBS der Zellen (Standard: das des Gebiets)</translation>
    </message>
    <message>
      <source>Cell size in units of the CRS (0: automatic)</source>
      <translation>Zellengröße in Einheiten des KBS (0: automatisch)</translation>
    </message>
    <message>
      <source>Concept</source>
      <translation>Konzept</translation>
    </message>
    <message>
      <source>Concept '{0}', grade {1}: {2}</source>
      <translation>Konzept „{0}“, Note {1}: {2}</translation>
    </message>
    <message>
      <source>Concept (*.concept)</source>
      <translation>Konzept (*.concept)</translation>
    </message>
    <message>
      <source>Concept file (default: among your own concepts)</source>
      <translation>Konzeptdatei (Vorgabe: bei Ihren eigenen Konzepten)</translation>
    </message>
    <message>
      <source>Concepts</source>
      <translation>Konzepte</translation>
    </message>
    <message>
      <source>Concepts (names, separated by semicolons)</source>
      <translation>Konzepte (Namen, durch Semikolons getrennt)</translation>
    </message>
    <message>
      <source>Explore</source>
      <translation>Erkunden</translation>
    </message>
    <message>
      <source>How to read this</source>
      <translation>Wie dies zu lesen ist</translation>
    </message>
    <message>
      <source>Kind of score</source>
      <translation>Art des Werts</translation>
    </message>
    <message>
      <source>Land only</source>
      <translation>Nur Land</translation>
    </message>
    <message>
      <source>Model {0}, sha256 {1}; GeoConcept plugin {2}.</source>
      <translation>Modell {0}, sha256 {1}; Erweiterung GeoConcept {2}.</translation>
    </message>
    <message>
      <source>Names or aliases of concepts, of your own concepts, or words: 'words: olive groves by the sea'.</source>
      <translation>Namen oder Aliasnamen von Konzepten, von eigenen Konzepten, oder Wörter: 'words: olive groves by the sea'.</translation>
    </message>
    <message>
      <source>Own concepts</source>
      <translation>Eigene Konzepte</translation>
    </message>
    <message>
      <source>Photos</source>
      <translation>Fotos</translation>
    </message>
    <message>
      <source>Points inside each area or along each line</source>
      <translation>Punkte in jeder Fläche oder entlang jeder Linie</translation>
    </message>
    <message>
      <source>Report</source>
      <translation>Bericht</translation>
    </message>
    <message>
      <source>Report: {0}</source>
      <translation>Bericht: {0}</translation>
    </message>
    <message>
      <source>Scores come from coordinates alone: from what a model has learned of which photos and words go with which places. They say what places are associated with, at a scale of {0:g} to {1:g} km; they are no observation, and nothing in them is a cause.</source>
      <translation>Werte stammen allein aus Koordinaten: aus dem, was ein Modell darüber gelernt hat, welche Fotos und Wörter zu welchen Orten gehören. Sie sagen, womit Orte verbunden sind, in einem Maßstab von {0:g} bis {1:g} km; sie sind keine Beobachtung, und nichts in ihnen ist eine Ursache.</translation>
    </message>
    <message>
      <source>Stopped; nothing was written.</source>
      <translation>Angehalten; es wurde nichts geschrieben.</translation>
    </message>
    <message>
      <source>Web page (*.html)</source>
      <translation>Webseite (*.html)</translation>
    </message>
    <message>
      <source>a raster is written as GeoTIFF: its name must end in .tif; got {0}</source>
      <translation>ein Raster wird als GeoTIFF geschrieben: sein Name muss auf .tif enden; nicht {0}</translation>
    </message>
    <message>
      <source>a tested concept is called '{0}', too: by this name yours is used from now on</source>
      <translation>auch ein geprüftes Konzept heißt „{0}“: unter diesem Namen wird von jetzt an Ihres verwendet</translation>
    </message>
    <message>
      <source>automatic: calibrated, or percentile where a concept is not calibrated</source>
      <translation>automatisch: kalibriert, oder Perzentil, wo ein Konzept nicht kalibriert ist</translation>
    </message>
    <message>
      <source>calibrated</source>
      <translation>kalibriert</translation>
    </message>
    <message>
      <source>calibrated: share of reference places with this score that carry the label (0 to 1)</source>
      <translation>kalibriert: Anteil der Referenzorte mit diesem Wert, die das Merkmal tragen (0 bis 1)</translation>
    </message>
    <message>
      <source>concept</source>
      <translation>Konzept</translation>
    </message>
    <message>
      <source>cosine: centred cosine, 0 is the average reference place</source>
      <translation>Kosinus: zentrierter Kosinus, 0 ist der mittlere Referenzort</translation>
    </message>
    <message>
      <source>evidence</source>
      <translation>Belege</translation>
    </message>
    <message>
      <source>family</source>
      <translation>Familie</translation>
    </message>
    <message>
      <source>folder {0} does not exist</source>
      <translation>der Ordner {0} ist nicht vorhanden</translation>
    </message>
    <message>
      <source>give either a layer of places or a single place</source>
      <translation>geben Sie entweder einen Layer mit Orten oder einen einzelnen Ort an</translation>
    </message>
    <message>
      <source>grade</source>
      <translation>Note</translation>
    </message>
    <message>
      <source>layer '{0}' has no CRS: set it in the layer's properties</source>
      <translation>der Layer „{0}“ hat kein KBS: setzen Sie es in den Eigenschaften des Layers</translation>
    </message>
    <message>
      <source>layer '{0}' has no feature that is a place on Earth: check its geometries and its CRS</source>
      <translation>der Layer „{0}“ hat kein Objekt, das ein Ort auf der Erde ist: prüfen Sie seine Geometrien und sein KBS</translation>
    </message>
    <message>
      <source>layer '{0}' has no features</source>
      <translation>der Layer „{0}“ hat keine Objekte</translation>
    </message>
    <message>
      <source>layer '{0}': {1} of {2} features are no place on Earth in its CRS and do not count</source>
      <translation>Layer „{0}“: {1} von {2} Objekten sind in seinem KBS kein Ort auf der Erde und zählen nicht</translation>
    </message>
    <message>
      <source>layer '{0}': {1} of {2} features have no geometry and do not count</source>
      <translation>Layer „{0}“: {1} von {2} Objekten haben keine Geometrie und zählen nicht</translation>
    </message>
    <message>
      <source>not graded</source>
      <translation>nicht benotet</translation>
    </message>
    <message>
      <source>percentile</source>
      <translation>Perzentil</translation>
    </message>
    <message>
      <source>percentile: reference places that score lower (0 to 100)</source>
      <translation>Perzentil: Referenzorte mit niedrigerem Wert (0 bis 100)</translation>
    </message>
    <message>
      <source>share</source>
      <translation>Anteil</translation>
    </message>
    <message>
      <source>the name of file {0} must end in {1}</source>
      <translation>der Name der Datei {0} muss auf {1} enden</translation>
    </message>
    <message>
      <source>what it is</source>
      <translation>was es ist</translation>
    </message>
    <message>
      <source>{0} of {1} place(s) lie within half a degree of the antimeridian or a pole, where the model's scores jump: do not compare their values with those across it.</source>
      <translation>{0} von {1} Ort(en) liegen höchstens ein halbes Grad vom 180. Längengrad oder von einem Pol entfernt, wo die Werte des Modells springen: vergleichen Sie ihre Werte nicht mit denen jenseits davon.</translation>
    </message>
    <message>
      <source>{0}, by what speaks for its words; it was tested on no places</source>
      <translation>{0}, nach dem, was für seine Wörter spricht; an Orten wurde es nicht geprüft</translation>
    </message>
  </context>
  <context>
    <name>ConceptColumns</name>
    <message>
      <source>Concept columns</source>
      <translation>Konzeptspalten</translation>
    </message>
    <message>
      <source>Copies a vector layer and adds one field a concept, with its score at each feature, and the field 'geoconcept_status'.

Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.
Where: one point on each feature, or the mean over several points spread inside it (areas and lines).

No feature is dropped: one without a geometry gets empty fields and the status 'missing', one that is no place on Earth 'not_projectable'. 'near_seam' and 'near_pole' mark places within half a degree of the antimeridian or a pole, where the scores of some models jump; those of the plugin's own do not.</source>
      <translation>Kopiert einen Vektorlayer und fügt je Konzept ein Feld mit seinem Wert an jedem Objekt hinzu, dazu das Feld 'geoconcept_status'.

Konzepte: Namen, Ihre eigenen Konzepte oder Wörter ('words: olive groves'), durch Semikolons getrennt.
Wo im Objekt: ein Punkt auf jedem Objekt oder das Mittel über mehrere Punkte, die in seinem Innern verteilt sind (Flächen und Linien).

Kein Objekt fällt weg: eines ohne Geometrie bekommt leere Felder und den Status 'missing', eines, das kein Ort auf der Erde ist, 'not_projectable'. 'near_seam' und 'near_pole' kennzeichnen Orte, die höchstens ein halbes Grad vom 180. Längengrad oder von einem Pol entfernt liegen, wo die Werte mancher Modelle springen; die des Modells, das das Plugin mitbringt, tun es nicht.</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Layer</translation>
    </message>
    <message>
      <source>Layer with concepts</source>
      <translation>Layer mit Konzepten</translation>
    </message>
    <message>
      <source>Points inside each feature, for the mean</source>
      <translation>Punkte in jedem Objekt, für das Mittel</translation>
    </message>
    <message>
      <source>Where in a feature</source>
      <translation>Wo im Objekt</translation>
    </message>
    <message>
      <source>mean of several points inside</source>
      <translation>Mittel mehrerer Punkte im Innern</translation>
    </message>
    <message>
      <source>one point on the feature</source>
      <translation>ein Punkt auf dem Objekt</translation>
    </message>
    <message>
      <source>the layer has fields of this name already: {0}. Rename or remove them first</source>
      <translation>der Layer hat bereits Felder dieses Namens: {0}. Benennen Sie sie erst um oder entfernen Sie sie</translation>
    </message>
    <message>
      <source>{0} feature(s)</source>
      <translation>{0} Objekt(e)</translation>
    </message>
  </context>
  <context>
    <name>ConceptField</name>
    <message>
      <source>Choose concepts from a list</source>
      <translation>Konzepte aus einer Liste wählen</translation>
    </message>
    <message>
      <source>Concepts, separated by semicolons</source>
      <translation>Konzepte, durch Semikolons getrennt</translation>
    </message>
    <message>
      <source>Names or aliases of concepts, of your own, or words: “words: olive groves by the sea”</source>
      <translation>Namen oder Aliasnamen von Konzepten, von eigenen, oder Wörter: „words: olive groves by the sea“</translation>
    </message>
  </context>
  <context>
    <name>ConceptFromPlaces</name>
    <message>
      <source>A high score says that a place is like your places to the model. It is no probability that the thing occurs there: records show where people looked as much as where things are. Other places with the same bias, such as records of similar things by the same observers, take much of it away.</source>
      <translation>Ein hoher Wert sagt, dass ein Ort für das Modell Ihren Orten ähnelt. Er ist keine Wahrscheinlichkeit, dass die Sache dort vorkommt: Funde zeigen ebenso, wo Menschen gesucht haben, wie wo etwas ist. Andere Orte mit derselben Verzerrung, etwa Funde ähnlicher Dinge durch dieselben Beobachter, gleichen vieles davon aus.</translation>
    </message>
    <message>
      <source>AUROC in held-out blocks</source>
      <translation>AUROC in zurückgehaltenen Blöcken</translation>
    </message>
    <message>
      <source>AUROC is the chance that one of your places scores higher than one of the others: 0.5 is chance, 1 is perfect. The interval comes from resampled blocks. Where 'position alone' does as well, the concept may only know where your places are, not what they are like.</source>
      <translation>AUROC ist die Wahrscheinlichkeit, dass einer Ihrer Orte einen höheren Wert hat als einer der anderen: 0,5 ist Zufall, 1 ist vollkommen. Das Intervall stammt aus neu gezogenen Blöcken. Wo „Lage allein“ ebenso gut abschneidet, weiß das Konzept vielleicht nur, wo Ihre Orte liegen, nicht wie sie sind.</translation>
    </message>
    <message>
      <source>Calibration error</source>
      <translation>Kalibrierungsfehler</translation>
    </message>
    <message>
      <source>Concept from places</source>
      <translation>Konzept aus Orten</translation>
    </message>
    <message>
      <source>Concept: {0}</source>
      <translation>Konzept: {0}</translation>
    </message>
    <message>
      <source>Control: labels moved elsewhere</source>
      <translation>Kontrolle: Zuordnung verschoben</translation>
    </message>
    <message>
      <source>Control: position alone</source>
      <translation>Kontrolle: Lage allein</translation>
    </message>
    <message>
      <source>Count places close together once</source>
      <translation>Nahe beieinander liegende Orte nur einmal zählen</translation>
    </message>
    <message>
      <source>Description, one sentence</source>
      <translation>Beschreibung, ein Satz</translation>
    </message>
    <message>
      <source>Fit</source>
      <translation>Anpassung</translation>
    </message>
    <message>
      <source>Grade</source>
      <translation>Note</translation>
    </message>
    <message>
      <source>Grade {0}.</source>
      <translation>Note {0}.</translation>
    </message>
    <message>
      <source>How it was held out</source>
      <translation>Wie zurückgehalten wurde</translation>
    </message>
    <message>
      <source>It finds your places well where it was not fitted, and its scores mean what they say.</source>
      <translation>Es findet Ihre Orte auch dort gut, wo es nicht angepasst wurde, und seine Werte bedeuten, was sie sagen.</translation>
    </message>
    <message>
      <source>It finds your places where it was not fitted; read single places with some care.</source>
      <translation>Es findet Ihre Orte auch dort, wo es nicht angepasst wurde; lesen Sie einzelne Orte mit etwas Vorsicht.</translation>
    </message>
    <message>
      <source>It is better than its control, but weak: read its map with care.</source>
      <translation>Es ist besser als seine Kontrolle, aber schwach: lesen Sie seine Karte mit Vorsicht.</translation>
    </message>
    <message>
      <source>It is not better than its control: nothing here says that it has found anything.</source>
      <translation>Es ist nicht besser als seine Kontrolle: nichts spricht hier dafür, dass es etwas gefunden hat.</translation>
    </message>
    <message>
      <source>Makes a concept of your own from example places, tests it on parts of the Earth that it did not see, and adds it to the list of concepts.

Places: points, lines or areas where the concept should be high; at least two, better dozens, far apart.
Other places: what to tell them from, such as absences or records of similar things. Without them, places are drawn at random over land.
Count places close together once: many records of one site are one place to the model (cells of 2.3 km).
Share of places that have it: what a calibrated score is measured against. At 0.5 a score above 0.5 means 'more typical of your places than of the others'; it is no probability of occurrence.
Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at once. An own concept of the same name is replaced.
Map: where the concept is high, over the area of your places (optional).

The report shows the test: AUROC with its interval in held-out blocks, controls, calibration, a grade from A to D, and where the concept is known to go wrong. It does not say why places go together.</source>
      <translation>Macht aus Beispielorten ein eigenes Konzept, prüft es in Teilen der Erde, die es nicht gesehen hat, und fügt es der Liste der Konzepte hinzu.

Orte: Punkte, Linien oder Flächen, an denen das Konzept hoch sein soll; mindestens zwei, besser Dutzende, weit auseinander.
Andere Orte: wovon sie zu unterscheiden sind, etwa Orte ohne Vorkommen oder Funde ähnlicher Dinge. Ohne sie werden Orte zufällig über das Land gezogen.
Nahe beieinander liegende Orte nur einmal zählen: viele Funde an einer Stelle sind für das Modell ein Ort (Zellen von 2,3 km).
Anteil der Orte, auf die es zutrifft: woran ein kalibrierter Wert gemessen wird. Bei 0,5 bedeutet ein Wert über 0,5 „für Ihre Orte typischer als für die anderen“; er ist keine Wahrscheinlichkeit des Vorkommens.
Konzeptdatei: ohne Namen kommt sie zu Ihren eigenen Konzepten, ins QGIS-Profil, und das Konzept kann sofort unter seinem Namen verwendet werden. Ein eigenes Konzept gleichen Namens wird ersetzt.
Karte: wo das Konzept hoch ist, über das Gebiet Ihrer Orte (optional).

Der Bericht zeigt die Prüfung: AUROC mit Intervall in zurückgehaltenen Blöcken, Kontrollen, Kalibrierung, eine Note von A bis D, und wo das Konzept bekanntermaßen irrt. Er sagt nicht, warum Orte zusammengehören.</translation>
    </message>
    <message>
      <source>Map of the concept</source>
      <translation>Karte des Konzepts</translation>
    </message>
    <message>
      <source>Name of the concept</source>
      <translation>Name des Konzepts</translation>
    </message>
    <message>
      <source>Only {0} places of yours count: the test, and the grade, rest on little.</source>
      <translation>Nur {0} Ihrer Orte zählen: die Prüfung und die Note beruhen auf wenig.</translation>
    </message>
    <message>
      <source>Other places (default: drawn over land)</source>
      <translation>Andere Orte (Vorgabe: über das Land gezogen)</translation>
    </message>
    <message>
      <source>Places drawn over land</source>
      <translation>Über das Land gezogene Orte</translation>
    </message>
    <message>
      <source>Places where the concept is high</source>
      <translation>Orte, an denen das Konzept hoch ist</translation>
    </message>
    <message>
      <source>Position alone does about as well here: the test does not show that the concept knows more than where your places are. Examples from other parts of the world would tell.</source>
      <translation>Die Lage allein schneidet hier etwa ebenso gut ab: die Prüfung zeigt nicht, dass das Konzept mehr weiß, als wo Ihre Orte liegen. Beispiele aus anderen Teilen der Welt würden es zeigen.</translation>
    </message>
    <message>
      <source>Scores of every place by a direction that was fitted without its block.</source>
      <translation>Werte jedes Ortes nach einer Richtung, die ohne seinen Block angepasst wurde.</translation>
    </message>
    <message>
      <source>Seed of random draws</source>
      <translation>Startwert der Zufallsziehungen</translation>
    </message>
    <message>
      <source>Share of places that have it</source>
      <translation>Anteil der Orte, auf die es zutrifft</translation>
    </message>
    <message>
      <source>Ten groups of equal weight; on the dashed line a score means what it says.</source>
      <translation>Zehn Gruppen gleichen Gewichts; auf der gestrichelten Linie bedeutet ein Wert, was er sagt.</translation>
    </message>
    <message>
      <source>The places it was made from, over land; at most 2,000 of each are drawn.</source>
      <translation>Die Orte, aus denen es gemacht ist, über dem Land; von beiden werden höchstens 2000 gezeichnet.</translation>
    </message>
    <message>
      <source>The test</source>
      <translation>Die Prüfung</translation>
    </message>
    <message>
      <source>Told from</source>
      <translation>Unterschieden von</translation>
    </message>
    <message>
      <source>What it is not</source>
      <translation>Was es nicht ist</translation>
    </message>
    <message>
      <source>Where it is known to go wrong</source>
      <translation>Wo es bekanntermaßen irrt</translation>
    </message>
    <message>
      <source>Your places</source>
      <translation>Ihre Orte</translation>
    </message>
    <message>
      <source>calibrated score</source>
      <translation>kalibrierter Wert</translation>
    </message>
    <message>
      <source>held-out score (centred cosine)</source>
      <translation>zurückgehaltener Wert (zentrierter Kosinus)</translation>
    </message>
    <message>
      <source>my concept</source>
      <translation>mein Konzept</translation>
    </message>
    <message>
      <source>other places</source>
      <translation>andere Orte</translation>
    </message>
    <message>
      <source>share of places</source>
      <translation>Anteil der Orte</translation>
    </message>
    <message>
      <source>share that are your places</source>
      <translation>Anteil, der Ihre Orte sind</translation>
    </message>
    <message>
      <source>your places</source>
      <translation>Ihre Orte</translation>
    </message>
  </context>
  <context>
    <name>ConceptFromWords</name>
    <message>
      <source>A tested concept reads much the same places: its evidence speaks for this one, too.</source>
      <translation>Ein geprüftes Konzept liest weitgehend dieselben Orte: seine Belege sprechen auch für dieses.</translation>
    </message>
    <message>
      <source>About places, 0 to 1</source>
      <translation>Handelt von Orten, 0 bis 1</translation>
    </message>
    <message>
      <source>Concept from words</source>
      <translation>Konzept aus Wörtern</translation>
    </message>
    <message>
      <source>Evidence</source>
      <translation>Belege</translation>
    </message>
    <message>
      <source>From a correlation of 0.7 with a concept of grade A or B on, the words are graded B.</source>
      <translation>Ab einer Korrelation von 0,7 mit einem Konzept der Note A oder B erhalten die Wörter die Note B.</translation>
    </message>
    <message>
      <source>Grade</source>
      <translation>Note</translation>
    </message>
    <message>
      <source>Grade {0}.</source>
      <translation>Note {0}.</translation>
    </message>
    <message>
      <source>Ground truth</source>
      <translation>Vergleichsgrundlage</translation>
    </message>
    <message>
      <source>Name (default: the words)</source>
      <translation>Name (Vorgabe: die Wörter)</translation>
    </message>
    <message>
      <source>Nearest tested concepts</source>
      <translation>Nächstliegende geprüfte Konzepte</translation>
    </message>
    <message>
      <source>No tested concept reads quite the same places: look at the map before you trust it.</source>
      <translation>Kein geprüftes Konzept liest ganz dieselben Orte: sehen Sie sich die Karte an, bevor Sie ihr trauen.</translation>
    </message>
    <message>
      <source>Percentile over land: yellow where few places score higher, violet where most do.</source>
      <translation>Perzentil über das Land: gelb, wo wenige Orte einen höheren Wert haben, violett, wo die meisten ihn haben.</translation>
    </message>
    <message>
      <source>Read by</source>
      <translation>Gelesen von</translation>
    </message>
    <message>
      <source>These words are probably about no place: the map means nothing.</source>
      <translation>Diese Wörter handeln wahrscheinlich von keinem Ort: die Karte bedeutet nichts.</translation>
    </message>
    <message>
      <source>Top 1 % of land stands out by</source>
      <translation>Das oberste 1 % des Landes hebt sich ab um</translation>
    </message>
    <message>
      <source>Turns a word, a name or a sentence into a concept, adds it to the list of concepts, and tells what speaks for it and against it.

Words: English, for example 'olive groves by the sea'. A small table of some 30,000 words and names is read; words that are not in it are named and do not count.
Name: default is the words themselves.
Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at once.

Nobody has marked the places that words are about, so such a concept has percentiles but no calibration. Its grade, B at best, rests on whether a tested concept reads much the same places; D means that the words are probably about no place.</source>
      <translation>Macht aus einem Wort, einem Namen oder einem Satz ein Konzept, fügt es der Liste der Konzepte hinzu und sagt, was dafür und was dagegen spricht.

Wörter: englisch, zum Beispiel 'olive groves by the sea'. Gelesen wird mit einer kleinen Tabelle von etwa 30.000 Wörtern und Namen; Wörter, die nicht darin stehen, werden genannt und zählen nicht.
Name: Vorgabe sind die Wörter selbst.
Konzeptdatei: ohne Namen kommt sie zu Ihren eigenen Konzepten, ins QGIS-Profil, und das Konzept kann sofort unter seinem Namen verwendet werden.

Niemand hat die Orte gekennzeichnet, von denen Wörter handeln; daher hat ein solches Konzept Perzentile, aber keine Kalibrierung. Seine Note, bestenfalls B, beruht darauf, ob ein geprüftes Konzept weitgehend dieselben Orte liest; D bedeutet, dass die Wörter wahrscheinlich von keinem Ort handeln.</translation>
    </message>
    <message>
      <source>Vocabulary</source>
      <translation>Wortschatz</translation>
    </message>
    <message>
      <source>Words</source>
      <translation>Wörter</translation>
    </message>
    <message>
      <source>Words that are not known</source>
      <translation>Unbekannte Wörter</translation>
    </message>
    <message>
      <source>Words: {0}</source>
      <translation>Wörter: {0}</translation>
    </message>
    <message>
      <source>correlation over land</source>
      <translation>Korrelation über dem Land</translation>
    </message>
    <message>
      <source>{0} standard deviations</source>
      <translation>{0} Standardabweichungen</translation>
    </message>
  </context>
  <context>
    <name>ConceptGrid</name>
    <message>
      <source>Concept grid</source>
      <translation>Konzeptgitter</translation>
    </message>
    <message>
      <source>Covers an area with hexagons or squares and scores each of them against concepts: one field a concept.

Cell size: distance between the middles of neighbours, in units of the CRS; 0 makes about 80 cells along the longer side. Choose a CRS in metres for cells of equal size.
Points in a cell: its middle alone, or the mean of seven points spread inside it.
Land only: cells whose middle lies at sea are left out; the concepts were tested on land.</source>
      <translation>Überdeckt ein Gebiet mit Sechsecken oder Quadraten und bewertet jede Zelle nach Konzepten: ein Feld je Konzept.

Zellengröße: Abstand der Mittelpunkte benachbarter Zellen, in Einheiten des KBS; 0 ergibt etwa 80 Zellen entlang der längeren Seite. Wählen Sie ein KBS in Metern, um gleich große Zellen zu erhalten.
Punkte je Zelle: nur ihr Mittelpunkt oder das Mittel von sieben Punkten, die in ihr verteilt sind.
Nur Land: Zellen, deren Mittelpunkt im Meer liegt, werden weggelassen; die Konzepte wurden an Land geprüft.</translation>
    </message>
    <message>
      <source>Points in a cell</source>
      <translation>Punkte je Zelle</translation>
    </message>
    <message>
      <source>Shape</source>
      <translation>Form</translation>
    </message>
    <message>
      <source>hexagons</source>
      <translation>Sechsecke</translation>
    </message>
    <message>
      <source>its middle</source>
      <translation>ihr Mittelpunkt</translation>
    </message>
    <message>
      <source>mean of seven points</source>
      <translation>Mittel von sieben Punkten</translation>
    </message>
    <message>
      <source>no cell of this grid lies on land: choose another area, or allow the sea</source>
      <translation>keine Zelle dieses Gitters liegt an Land: wählen Sie ein anderes Gebiet oder lassen Sie das Meer zu</translation>
    </message>
    <message>
      <source>squares</source>
      <translation>Quadrate</translation>
    </message>
    <message>
      <source>{0} cells</source>
      <translation>{0} Zellen</translation>
    </message>
  </context>
  <context>
    <name>ConceptModel</name>
    <message>
      <source>family {0}, grade {1}</source>
      <translation>Familie {0}, Note {1}</translation>
    </message>
    <message>
      <source>none</source>
      <translation>keine</translation>
    </message>
  </context>
  <context>
    <name>ConceptPicker</name>
    <message>
      <source>Choose concepts</source>
      <translation>Konzepte wählen</translation>
    </message>
    <message>
      <source>Search names, families, descriptions</source>
      <translation>Namen, Familien, Beschreibungen durchsuchen</translation>
    </message>
    <message>
      <source>none chosen</source>
      <translation>keines gewählt</translation>
    </message>
    <message>
      <source>{0} chosen: {1}</source>
      <translation>{0} gewählt: {1}</translation>
    </message>
  </context>
  <context>
    <name>ConceptRaster</name>
    <message>
      <source> and {0} more</source>
      <translation> und {0} weitere</translation>
    </message>
    <message>
      <source>Concept raster</source>
      <translation>Konzeptraster</translation>
    </message>
    <message>
      <source>Scores every cell of an area against concepts and writes a GeoTIFF, one band a concept, in colours with a fixed range, so that maps can be compared.

Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side. The model tells places apart from about 10 km on: smaller cells look smoother, they do not say more.
Show: the scores of each concept in a band of its own, or a map of the concept that scores highest, for 2 to 24 concepts; percentiles are the fairest to compare.
Land only: cells at sea get no value. The concepts were tested on land.

A score says what a place is associated with; it is no observation.</source>
      <translation>Bewertet jede Zelle eines Gebiets nach Konzepten und schreibt ein GeoTIFF, einen Kanal je Konzept, in Farben mit festem Bereich, sodass sich Karten vergleichen lassen.

Konzepte: Namen, Ihre eigenen Konzepte oder Wörter ('words: olive groves'), durch Semikolons getrennt.
Zellengröße: in Einheiten des KBS; 0 ergibt etwa 400 Zellen entlang der längeren Seite. Das Modell unterscheidet Orte ab etwa 10 km: kleinere Zellen sehen glatter aus, sagen aber nicht mehr.
Darstellen: die Werte jedes Konzepts in einem eigenen Kanal oder eine Karte des Konzepts mit dem höchsten Wert, für 2 bis 24 Konzepte; am gerechtesten lassen sich Perzentile vergleichen.
Nur Land: Zellen im Meer bekommen keinen Wert. Die Konzepte wurden an Land geprüft.

Ein Wert sagt, womit ein Ort verbunden ist; er ist keine Beobachtung.</translation>
    </message>
    <message>
      <source>Show</source>
      <translation>Darstellen</translation>
    </message>
    <message>
      <source>dominant concept</source>
      <translation>vorherrschendes Konzept</translation>
    </message>
    <message>
      <source>dominant of {0} concepts</source>
      <translation>vorherrschendes von {0} Konzepten</translation>
    </message>
    <message>
      <source>one band of scores for each concept</source>
      <translation>ein Kanal mit Werten für jedes Konzept</translation>
    </message>
    <message>
      <source>the dominant concept, one colour each</source>
      <translation>das vorherrschende Konzept, je eine Farbe</translation>
    </message>
    <message>
      <source>the dominant one of {0} concepts cannot be drawn: name 2 to {1}</source>
      <translation>das vorherrschende von {0} Konzepten kann nicht gezeichnet werden: nennen Sie 2 bis {1}</translation>
    </message>
    <message>
      <source>{0} x {1} cells, {2} concept(s), {3} scores</source>
      <translation>{0} x {1} Zellen, {2} Konzept(e), Werte: {3}</translation>
    </message>
  </context>
  <context>
    <name>ConceptTab</name>
    <message>
      <source>All families</source>
      <translation>Alle Familien</translation>
    </message>
    <message>
      <source>All grades</source>
      <translation>Alle Noten</translation>
    </message>
    <message>
      <source>Choose a concept to see what is known about it.</source>
      <translation>Wählen Sie ein Konzept, um zu sehen, was darüber bekannt ist.</translation>
    </message>
    <message>
      <source>Compute a raster layer of the map's extent, in the CRS of the map</source>
      <translation>Einen Rasterlayer über die Ausdehnung der Karte berechnen, im KBS der Karte</translation>
    </message>
    <message>
      <source>Concepts</source>
      <translation>Konzepte</translation>
    </message>
    <message>
      <source>Delete</source>
      <translation>Löschen</translation>
    </message>
    <message>
      <source>Delete the file {0}? This cannot be undone.</source>
      <translation>Die Datei {0} löschen? Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
      <source>Delete…</source>
      <translation>Löschen…</translation>
    </message>
    <message>
      <source>Draw the concept over the map, wherever it goes; it is not a layer</source>
      <translation>Zeichnet das Konzept über die Karte, wohin Sie sie auch bewegen; die Vorschau ist kein Layer</translation>
    </message>
    <message>
      <source>Finds names, aliases, families and descriptions. Return chooses the first.</source>
      <translation>Findet Namen, Aliasnamen, Familien und Beschreibungen. Die Eingabetaste wählt das erste.</translation>
    </message>
    <message>
      <source>Grade A</source>
      <translation>Note A</translation>
    </message>
    <message>
      <source>Grades A and B</source>
      <translation>Noten A und B</translation>
    </message>
    <message>
      <source>Grades A to C</source>
      <translation>Noten A bis C</translation>
    </message>
    <message>
      <source>How well a concept did in the test: A is best, D did no better than chance</source>
      <translation>Wie gut ein Konzept in der Prüfung war: A ist am besten, D war nicht besser als der Zufall</translation>
    </message>
    <message>
      <source>Keep as layer</source>
      <translation>Als Layer sichern</translation>
    </message>
    <message>
      <source>Layer: {0}</source>
      <translation>Layer: {0}</translation>
    </message>
    <message>
      <source>New name</source>
      <translation>Neuer Name</translation>
    </message>
    <message>
      <source>No concept of this kind. You can read your text as words instead.</source>
      <translation>Kein solches Konzept. Sie können Ihren Text stattdessen als Wörter lesen lassen.</translation>
    </message>
    <message>
      <source>Opacity of the preview</source>
      <translation>Deckkraft der Vorschau</translation>
    </message>
    <message>
      <source>Open folder</source>
      <translation>Ordner öffnen</translation>
    </message>
    <message>
      <source>Percentile: reference places that score lower; shows rare concepts, too.
Calibrated: share of reference places with this score that carry the label; tested concepts only.</source>
      <translation>Perzentil: Referenzorte mit niedrigerem Wert; zeigt auch seltene Konzepte.
Kalibriert: Anteil der Referenzorte mit diesem Wert, die das Merkmal tragen; nur bei geprüften Konzepten.</translation>
    </message>
    <message>
      <source>Preview on the map</source>
      <translation>Vorschau auf der Karte</translation>
    </message>
    <message>
      <source>Read the text as a description of places, whatever concepts there are</source>
      <translation>Liest den Text als Beschreibung von Orten, unabhängig davon, welche Konzepte es gibt</translation>
    </message>
    <message>
      <source>Read “{0}” as words</source>
      <translation>„{0}“ als Wörter lesen</translation>
    </message>
    <message>
      <source>Reading concepts…</source>
      <translation>Konzepte werden gelesen…</translation>
    </message>
    <message>
      <source>Reading words</source>
      <translation>Wörter werden gelesen</translation>
    </message>
    <message>
      <source>Rename</source>
      <translation>Umbenennen</translation>
    </message>
    <message>
      <source>Rename…</source>
      <translation>Umbenennen…</translation>
    </message>
    <message>
      <source>Search concepts, or write any words</source>
      <translation>Konzepte suchen oder beliebige Wörter eingeben</translation>
    </message>
    <message>
      <source>Show one family of concepts</source>
      <translation>Eine Familie von Konzepten zeigen</translation>
    </message>
    <message>
      <source>The layer “{0}” is on top of the map.</source>
      <translation>Der Layer „{0}“ liegt oben auf der Karte.</translation>
    </message>
    <message>
      <source>The map shows no part of the Earth: zoom to it first, or set the CRS of the project.</source>
      <translation>Die Karte zeigt keinen Teil der Erde: zoomen Sie erst dorthin, oder setzen Sie das KBS des Projekts.</translation>
    </message>
    <message>
      <source>Try again</source>
      <translation>Erneut versuchen</translation>
    </message>
    <message>
      <source>calibrated</source>
      <translation>kalibriert</translation>
    </message>
    <message>
      <source>complete</source>
      <translation>vollständig</translation>
    </message>
    <message>
      <source>drawing…</source>
      <translation>wird gezeichnet…</translation>
    </message>
    <message>
      <source>percentile</source>
      <translation>Perzentil</translation>
    </message>
    <message>
      <source>refining, {0:.0f} %</source>
      <translation>wird verfeinert, {0:.0f} %</translation>
    </message>
    <message>
      <source>there is a concept {0!r} already: choose another name</source>
      <translation>es gibt bereits ein Konzept {0!r}: wählen Sie einen anderen Namen</translation>
    </message>
    <message>
      <source>{0} of {1} concepts</source>
      <translation>{0} von {1} Konzepten</translation>
    </message>
  </context>
  <context>
    <name>Desktop</name>
    <message>
      <source>Click a place</source>
      <translation>Ort anklicken</translation>
    </message>
    <message>
      <source>Click on the map to see the strongest concepts of a place</source>
      <translation>Klicken Sie auf die Karte, um die stärksten Konzepte eines Ortes zu sehen</translation>
    </message>
    <message>
      <source>Options…</source>
      <translation>Optionen…</translation>
    </message>
    <message>
      <source>Show or hide the dock GeoConcept</source>
      <translation>Das Dock GeoConcept zeigen oder verbergen</translation>
    </message>
  </context>
  <context>
    <name>Details</name>
    <message>
      <source>About a place</source>
      <translation>Handelt von Orten</translation>
    </message>
    <message>
      <source>Also called</source>
      <translation>Auch genannt</translation>
    </message>
    <message>
      <source>Compared with</source>
      <translation>Verglichen mit</translation>
    </message>
    <message>
      <source>Controls</source>
      <translation>Kontrollen</translation>
    </message>
    <message>
      <source>Grade</source>
      <translation>Note</translation>
    </message>
    <message>
      <source>Most alike</source>
      <translation>Am ähnlichsten</translation>
    </message>
    <message>
      <source>Peak</source>
      <translation>Spitze</translation>
    </message>
    <message>
      <source>Scale</source>
      <translation>Maßstab</translation>
    </message>
    <message>
      <source>Tested</source>
      <translation>Geprüft</translation>
    </message>
    <message>
      <source>Truth</source>
      <translation>Vergleichsgrundlage</translation>
    </message>
    <message>
      <source>Unknown words</source>
      <translation>Unbekannte Wörter</translation>
    </message>
    <message>
      <source>not graded</source>
      <translation>nicht benotet</translation>
    </message>
    <message>
      <source>{0:g} to {1:g} km</source>
      <translation>{0:g} bis {1:g} km</translation>
    </message>
  </context>
  <context>
    <name>Dock</name>
    <message>
      <source>Concept</source>
      <translation>Konzept</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Layer</translation>
    </message>
    <message>
      <source>Photo</source>
      <translation>Foto</translation>
    </message>
    <message>
      <source>Place</source>
      <translation>Ort</translation>
    </message>
  </context>
  <context>
    <name>DropArea</name>
    <message>
      <source>Drop a photo here
(jpg, png, webp, heic, or a vector as .npy)</source>
      <translation>Legen Sie hier ein Foto ab
(jpg, png, webp, heic oder einen Vektor als .npy)</translation>
    </message>
    <message>
      <source>{0}
(no small picture of this kind of file)</source>
      <translation>{0}
(für diese Art Datei gibt es kein kleines Bild)</translation>
    </message>
    <message>
      <source>{0} is neither a photo nor a vector: take one of {1}</source>
      <translation>{0} ist weder ein Foto noch ein Vektor: möglich sind {1}</translation>
    </message>
  </context>
  <context>
    <name>Engine</name>
    <message>
      <source>Its last lines: {0}</source>
      <translation>Letzte Zeilen: {0}</translation>
    </message>
    <message>
      <source>stopped</source>
      <translation>angehalten</translation>
    </message>
    <message>
      <source>the engine ended by itself (code {0}).</source>
      <translation>die Engine hat sich von selbst beendet (Code {0}).</translation>
    </message>
    <message>
      <source>the engine said nothing for {0:.0f} seconds and was ended.</source>
      <translation>die Engine hat {0:.0f} Sekunden lang nichts gesagt und wurde beendet.</translation>
    </message>
    <message>
      <source>the engine speaks version {0} of the protocol, the plugin {1}: install both anew</source>
      <translation>die Engine spricht Version {0} des Protokolls, die Erweiterung {1}: installieren Sie beide neu</translation>
    </message>
    <message>
      <source>the engine's Python {0} cannot be started: {1}</source>
      <translation>das Python der Engine {0} kann nicht gestartet werden: {1}</translation>
    </message>
    <message>
      <source>the engine's vectors cannot be read: {0}</source>
      <translation>die Vektoren der Engine können nicht gelesen werden: {0}</translation>
    </message>
  </context>
  <context>
    <name>EngineBox</name>
    <message>
      <source>A Python that has geoconcept_gis with its extra “images”</source>
      <translation>Ein Python, das geoconcept_gis mit dem Zusatz „images“ enthält</translation>
    </message>
    <message>
      <source>CLIP weights…</source>
      <translation>CLIP-Gewichte…</translation>
    </message>
    <message>
      <source>CLIP's weights are not chosen.</source>
      <translation>Die Gewichte von CLIP sind nicht gewählt.</translation>
    </message>
    <message>
      <source>CLIP's weights: {0}</source>
      <translation>Gewichte von CLIP: {0}</translation>
    </message>
    <message>
      <source>Choose CLIP's weights</source>
      <translation>Gewichte von CLIP wählen</translation>
    </message>
    <message>
      <source>Choose Python…</source>
      <translation>Python wählen…</translation>
    </message>
    <message>
      <source>Choose a Python</source>
      <translation>Ein Python wählen</translation>
    </message>
    <message>
      <source>Engine for photos</source>
      <translation>Engine für Fotos</translation>
    </message>
    <message>
      <source>Engine ready</source>
      <translation>Engine bereit</translation>
    </message>
    <message>
      <source>Look again</source>
      <translation>Erneut suchen</translation>
    </message>
    <message>
      <source>Looking for the engine</source>
      <translation>Die Engine wird gesucht</translation>
    </message>
    <message>
      <source>Make a Python environment of its own; nothing is installed before you agree</source>
      <translation>Eine eigene Python-Umgebung anlegen; nichts wird installiert, bevor Sie zustimmen</translation>
    </message>
    <message>
      <source>No engine yet</source>
      <translation>Noch keine Engine</translation>
    </message>
    <message>
      <source>Set up engine…</source>
      <translation>Engine einrichten…</translation>
    </message>
    <message>
      <source>The file of CLIP's weights; it is opened by the engine, never downloaded</source>
      <translation>Die Datei mit den Gewichten von CLIP; die Engine öffnet sie, sie wird nie heruntergeladen</translation>
    </message>
    <message>
      <source>geoconcept_gis {0} in {1}.</source>
      <translation>geoconcept_gis {0} in {1}.</translation>
    </message>
    <message>
      <source>looking…</source>
      <translation>wird gesucht…</translation>
    </message>
    <message>
      <source>not looked for yet</source>
      <translation>noch nicht gesucht</translation>
    </message>
  </context>
  <context>
    <name>EngineDialog</name>
    <message>
      <source>Begin</source>
      <translation>Beginnen</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Copy diagnostics</source>
      <translation>Diagnose kopieren</translation>
    </message>
    <message>
      <source>Folder of wheels</source>
      <translation>Ordner mit Wheels</translation>
    </message>
    <message>
      <source>I agree: make it</source>
      <translation>Ich bin einverstanden: anlegen</translation>
    </message>
    <message>
      <source>Index</source>
      <translation>Paketindex</translation>
    </message>
    <message>
      <source>More choices</source>
      <translation>Weitere Einstellungen</translation>
    </message>
    <message>
      <source>Python to begin with</source>
      <translation>Ausgangs-Python</translation>
    </message>
    <message>
      <source>Set up the engine for photos</source>
      <translation>Die Engine für Fotos einrichten</translation>
    </message>
    <message>
      <source>What is done appears here, line by line.</source>
      <translation>Was geschieht, erscheint hier Zeile für Zeile.</translation>
    </message>
    <message>
      <source>as pip is set</source>
      <translation>wie in pip eingestellt</translation>
    </message>
  </context>
  <context>
    <name>EngineStatus</name>
    <message>
      <source>Engine status</source>
      <translation>Status der Engine</translation>
    </message>
    <message>
      <source>GeoConcept: status</source>
      <translation>GeoConcept: Status</translation>
    </message>
    <message>
      <source>Says what the plugin has to work with: its version, the model's checksum, how fast this machine computes, whether the engine that reads photos is there and what it lacks, what is kept, where the log is.

Copy the text into a report of a problem. It names folders of this machine: look through it first.</source>
      <translation>Sagt, womit die Erweiterung arbeitet: ihre Version, die Prüfsumme des Modells, wie schnell dieser Rechner rechnet, ob die Engine da ist, die Fotos liest, und was ihr fehlt, was aufbewahrt wird, wo das Protokoll ist.

Kopieren Sie den Text in eine Problemmeldung. Er nennt Ordner dieses Rechners: sehen Sie ihn vorher durch.</translation>
    </message>
    <message>
      <source>Status</source>
      <translation>Status</translation>
    </message>
    <message>
      <source>What the plugin has to work with on this machine.</source>
      <translation>Womit die Erweiterung auf diesem Rechner arbeitet.</translation>
    </message>
    <message>
      <source>cache folder</source>
      <translation>Cache-Ordner</translation>
    </message>
    <message>
      <source>engine does not start</source>
      <translation>die Engine startet nicht</translation>
    </message>
    <message>
      <source>engine's Python</source>
      <translation>Python der Engine</translation>
    </message>
    <message>
      <source>log</source>
      <translation>Protokoll</translation>
    </message>
    <message>
      <source>other engines</source>
      <translation>andere Engines</translation>
    </message>
    <message>
      <source>own concepts</source>
      <translation>eigene Konzepte</translation>
    </message>
    <message>
      <source>panel Log Messages, tab GeoConcept</source>
      <translation>Fenster Protokoll, Reiter GeoConcept</translation>
    </message>
    <message>
      <source>profile</source>
      <translation>Profil</translation>
    </message>
    <message>
      <source>ready</source>
      <translation>bereit</translation>
    </message>
    <message>
      <source>tower {0}</source>
      <translation>Bildleser {0}</translation>
    </message>
  </context>
  <context>
    <name>GeolocatePhoto</name>
    <message>
      <source>... and {0} more, in the layers only.</source>
      <translation>... und {0} weitere, nur in den Layern.</translation>
    </message>
    <message>
      <source>A photo is compared with what the model has learned of places all over the Earth. How sure the answer may be was fitted on a few photos whose country is known: of photos of another kind the areas may hold fewer than they say. Nothing nearer than some 10 km can be told apart.</source>
      <translation>Ein Foto wird mit dem verglichen, was das Modell von Orten auf der ganzen Erde gelernt hat. Wie sicher die Antwort sein darf, wurde an einigen wenigen Fotos angepasst, deren Land bekannt ist: von Fotos anderer Art enthalten die Gebiete vielleicht weniger, als sie sagen. Was näher als etwa 10 km beieinander liegt, lässt sich nicht unterscheiden.</translation>
    </message>
    <message>
      <source>An estimate from what the photos show; no evidence of a position.</source>
      <translation>Eine Schätzung aus dem, was die Fotos zeigen; kein Beleg für eine Position.</translation>
    </message>
    <message>
      <source>Areas</source>
      <translation>Gebiete</translation>
    </message>
    <message>
      <source>Areas: {0}</source>
      <translation>Gebiete: {0}</translation>
    </message>
    <message>
      <source>Before looking</source>
      <translation>Vorwissen</translation>
    </message>
    <message>
      <source>Best places</source>
      <translation>Beste Orte</translation>
    </message>
    <message>
      <source>Best places: {0}</source>
      <translation>Beste Orte: {0}</translation>
    </message>
    <message>
      <source>CLIP</source>
      <translation>CLIP</translation>
    </message>
    <message>
      <source>CLIP's weights (default: those of the plugin's options)</source>
      <translation>Gewichte von CLIP (Vorgabe: die aus den Optionen der Erweiterung)</translation>
    </message>
    <message>
      <source>CLIP; where there is none and the model is GeoCLIP, the weak one</source>
      <translation>CLIP; wo es keines gibt und das Modell GeoCLIP ist, der schwache Bildleser</translation>
    </message>
    <message>
      <source>Cells of the heatmap, in degrees</source>
      <translation>Zellen der Heatmap, in Grad</translation>
    </message>
    <message>
      <source>EXIF position (not used)</source>
      <translation>EXIF-Position (nicht verwendet)</translation>
    </message>
    <message>
      <source>Geolocate photo</source>
      <translation>Foto verorten</translation>
    </message>
    <message>
      <source>Heatmap</source>
      <translation>Heatmap</translation>
    </message>
    <message>
      <source>Heatmap: {0}</source>
      <translation>Heatmap: {0}</translation>
    </message>
    <message>
      <source>How to read this</source>
      <translation>Wie dies zu lesen ist</translation>
    </message>
    <message>
      <source>Model {0}, sha256 {1}.</source>
      <translation>Modell {0}, sha256 {1}.</translation>
    </message>
    <message>
      <source>No concept stands out in it.</source>
      <translation>Kein Konzept sticht darin hervor.</translation>
    </message>
    <message>
      <source>Only inside these polygons</source>
      <translation>Nur innerhalb dieser Polygone</translation>
    </message>
    <message>
      <source>Photos, folders or vectors (.npy)</source>
      <translation>Fotos, Ordner oder Vektoren (.npy)</translation>
    </message>
    <message>
      <source>Preparing the map of places, once ...</source>
      <translation>Die Karte der Orte wird vorbereitet, nur dieses eine Mal ...</translation>
    </message>
    <message>
      <source>Probability per km2, dark where it is high.</source>
      <translation>Wahrscheinlichkeit je km2, dunkel, wo sie hoch ist.</translation>
    </message>
    <message>
      <source>Read by the weak tower, which finds places little better than chance: it is there for demonstrations. For work install CLIP in the engine.</source>
      <translation>Gelesen vom schwachen Bildleser, der Orte kaum besser als der Zufall findet: er dient nur zur Vorführung. Für die Arbeit installieren Sie CLIP in der Engine.</translation>
    </message>
    <message>
      <source>Says where photos may have been taken, from what they show: a heatmap of the probability, the best places, the smallest areas that hold the place with 50 % and 90 %, and the concepts that speak for them.

Photos: files or a folder. They are read by CLIP in the engine, outside QGIS; see the plugin's options. Vectors (.npy) need no engine: 768 numbers a photo from CLIP ViT-L/14, or 512 of the shared space.
Before looking: where photos are usually taken, or evenly over land; and only inside polygons, where you know the region.
The first run prepares a map of places, which takes half a minute; it is kept.

An EXIF position is reported, never used. The result is an estimate, no evidence of a position.</source>
      <translation>Sagt, wo Fotos aufgenommen worden sein könnten, nach dem, was sie zeigen: eine Heatmap der Wahrscheinlichkeit, die besten Orte, die kleinsten Gebiete, die den Ort mit 50 % und 90 % enthalten, und die Konzepte, die dafür sprechen.

Fotos: Dateien oder ein Ordner. CLIP liest sie in der Engine, außerhalb von QGIS; siehe die Optionen der Erweiterung. Vektoren (.npy) brauchen keine Engine: 768 Zahlen je Foto aus CLIP ViT-L/14 oder 512 des gemeinsamen Raums.
Vorwissen: wo Fotos gewöhnlich aufgenommen werden oder gleichmäßig über das Land; und nur innerhalb von Polygonen, wenn Sie die Region kennen.
Der erste Lauf bereitet eine Karte von Orten vor, was eine halbe Minute dauert; sie wird aufbewahrt.

Eine EXIF-Position wird genannt, nie verwendet. Das Ergebnis ist eine Schätzung, kein Beleg für eine Position.</translation>
    </message>
    <message>
      <source>The heatmap shows the first {0} of {1} photos; points and areas have all.</source>
      <translation>Die Heatmap zeigt die ersten {0} von {1} Fotos; Punkte und Gebiete enthalten alle.</translation>
    </message>
    <message>
      <source>What it is associated with. 'Moved' is the share of the probability that goes elsewhere when the concept is taken out of the photo; 'by chance' is the same for random directions. A concept that moves no more than chance has carried nothing.</source>
      <translation>Womit es verbunden ist. „Verschoben“ ist der Anteil der Wahrscheinlichkeit, der anderswohin geht, wenn das Konzept aus dem Foto herausgenommen wird; „durch Zufall“ ist dasselbe für zufällige Richtungen. Ein Konzept, das nicht mehr verschiebt als der Zufall, hat nichts beigetragen.</translation>
    </message>
    <message>
      <source>What reads photos</source>
      <translation>Was Fotos liest</translation>
    </message>
    <message>
      <source>Where it may be from: {0}</source>
      <translation>Woher es stammen könnte: {0}</translation>
    </message>
    <message>
      <source>before looking</source>
      <translation>Vorwissen</translation>
    </message>
    <message>
      <source>by chance</source>
      <translation>durch Zufall</translation>
    </message>
    <message>
      <source>concept</source>
      <translation>Konzept</translation>
    </message>
    <message>
      <source>evenly over land</source>
      <translation>gleichmäßig über das Land</translation>
    </message>
    <message>
      <source>family</source>
      <translation>Familie</translation>
    </message>
    <message>
      <source>grade</source>
      <translation>Note</translation>
    </message>
    <message>
      <source>latitude</source>
      <translation>Breite</translation>
    </message>
    <message>
      <source>longitude</source>
      <translation>Länge</translation>
    </message>
    <message>
      <source>moved</source>
      <translation>verschoben</translation>
    </message>
    <message>
      <source>no land lies inside these polygons: check their CRS</source>
      <translation>innerhalb dieser Polygone liegt kein Land: prüfen Sie ihr KBS</translation>
    </message>
    <message>
      <source>probability {0}</source>
      <translation>Wahrscheinlichkeit {0}</translation>
    </message>
    <message>
      <source>read by</source>
      <translation>gelesen von</translation>
    </message>
    <message>
      <source>the weak one, for demonstrations with GeoCLIP only</source>
      <translation>der schwache Bildleser, nur zur Vorführung mit GeoCLIP</translation>
    </message>
    <message>
      <source>where photos are usually taken</source>
      <translation>wo Fotos gewöhnlich aufgenommen werden</translation>
    </message>
    <message>
      <source>within {0:.0f} km</source>
      <translation>innerhalb von {0:.0f} km</translation>
    </message>
    <message>
      <source>{0:.0%} area</source>
      <translation>{0:.0%}-Gebiet</translation>
    </message>
    <message>
      <source>{0}, within polygons</source>
      <translation>{0}, innerhalb von Polygonen</translation>
    </message>
    <message>
      <source>{0}: {1:.2f}, {2:.2f} (lon, lat), {3:.0%} within {4:.0f} km; 90 % in {5:,.0f} km2</source>
      <translation>{0}: {1:.2f}, {2:.2f} (Länge, Breite), {3:.0%} innerhalb von {4:.0f} km; 90 % in {5:,.0f} km2</translation>
    </message>
  </context>
  <context>
    <name>Job</name>
    <message>
      <source>there is not enough memory for this</source>
      <translation>dafür reicht der Arbeitsspeicher nicht</translation>
    </message>
    <message>
      <source>{0}: {1} (the log has the details)</source>
      <translation>{0}: {1} (Näheres steht im Protokoll)</translation>
    </message>
  </context>
  <context>
    <name>JobList</name>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Stop; nothing half-made is kept</source>
      <translation>Anhalten; nichts Halbfertiges bleibt zurück</translation>
    </message>
  </context>
  <context>
    <name>LayerTab</name>
    <message>
      <source> points inside</source>
      <translation> Punkten innen</translation>
    </message>
    <message>
      <source>Add concepts</source>
      <translation>Konzepte hinzufügen</translation>
    </message>
    <message>
      <source>Automatic: calibrated, or the percentile where a concept is not calibrated, such as words</source>
      <translation>Automatisch: kalibriert, oder das Perzentil, wo ein Konzept nicht kalibriert ist, etwa bei Wörtern</translation>
    </message>
    <message>
      <source>Concepts</source>
      <translation>Konzepte</translation>
    </message>
    <message>
      <source>Fields for {0}</source>
      <translation>Felder für {0}</translation>
    </message>
    <message>
      <source>Into</source>
      <translation>Ziel</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Layer</translation>
    </message>
    <message>
      <source>One field a concept, and one that says what became of each feature. No feature is dropped: one that is no place on Earth gets empty fields.</source>
      <translation>Ein Feld je Konzept und eines, das sagt, was aus jedem Objekt wurde. Kein Objekt fällt weg: eines, das kein Ort auf der Erde ist, bekommt leere Felder.</translation>
    </message>
    <message>
      <source>Points, lines or areas, in any CRS</source>
      <translation>Punkte, Linien oder Flächen, in einem beliebigen KBS</translation>
    </message>
    <message>
      <source>Score</source>
      <translation>Wert</translation>
    </message>
    <message>
      <source>The layer has been removed meanwhile; nothing was changed.</source>
      <translation>Der Layer wurde inzwischen entfernt; es wurde nichts geändert.</translation>
    </message>
    <message>
      <source>The layer is put into editing; you decide whether to save</source>
      <translation>Der Layer geht in den Bearbeitungsmodus; Sie entscheiden, ob gespeichert wird</translation>
    </message>
    <message>
      <source>The layer with concepts is on top of the map.</source>
      <translation>Der Layer mit Konzepten liegt oben auf der Karte.</translation>
    </message>
    <message>
      <source>The project has no vector layer: add one, then choose it here.</source>
      <translation>Das Projekt hat keinen Vektorlayer: fügen Sie einen hinzu und wählen Sie ihn dann hier.</translation>
    </message>
    <message>
      <source>Where</source>
      <translation>Wo</translation>
    </message>
    <message>
      <source>a new layer</source>
      <translation>ein neuer Layer</translation>
    </message>
    <message>
      <source>automatic</source>
      <translation>automatisch</translation>
    </message>
    <message>
      <source>calibrated (0 to 1)</source>
      <translation>kalibriert (0 bis 1)</translation>
    </message>
    <message>
      <source>centred cosine (-1 to 1)</source>
      <translation>zentrierter Kosinus (-1 bis 1)</translation>
    </message>
    <message>
      <source>layer {0!r} cannot be edited: make a new layer instead</source>
      <translation>der Layer {0!r} kann nicht bearbeitet werden: erzeugen Sie stattdessen einen neuen Layer</translation>
    </message>
    <message>
      <source>layer {0!r} takes no field {1!r}: make a new layer instead</source>
      <translation>der Layer {0!r} nimmt kein Feld {1!r} an: erzeugen Sie stattdessen einen neuen Layer</translation>
    </message>
    <message>
      <source>mean of</source>
      <translation>Mittel von</translation>
    </message>
    <message>
      <source>one point on each feature</source>
      <translation>ein Punkt auf jedem Objekt</translation>
    </message>
    <message>
      <source>percentile (0 to 100)</source>
      <translation>Perzentil (0 bis 100)</translation>
    </message>
    <message>
      <source>the layer has changed while it was scored: nothing was written; run it again</source>
      <translation>der Layer hat sich während der Berechnung geändert: es wurde nichts geschrieben; führen Sie es erneut aus</translation>
    </message>
    <message>
      <source>this layer: add the fields to it</source>
      <translation>dieser Layer: Felder ergänzen</translation>
    </message>
    <message>
      <source>{0} fields were added to {1}: save the edits to keep them.</source>
      <translation>{0} Felder wurden zu {1} hinzugefügt: speichern Sie die Änderungen, um sie zu behalten.</translation>
    </message>
  </context>
  <context>
    <name>Messages</name>
    <message>
      <source>Show log</source>
      <translation>Protokoll anzeigen</translation>
    </message>
  </context>
  <context>
    <name>OptionsPage</name>
    <message>
      <source>A model folder of geoconcept_gis: GeoCLIP, or a model of your own</source>
      <translation>Ein Modellordner von geoconcept_gis: GeoCLIP oder ein eigenes Modell</translation>
    </message>
    <message>
      <source>Cache</source>
      <translation>Cache</translation>
    </message>
    <message>
      <source>Choose a model folder</source>
      <translation>Modellordner wählen</translation>
    </message>
    <message>
      <source>Choose folder…</source>
      <translation>Ordner wählen…</translation>
    </message>
    <message>
      <source>Clear</source>
      <translation>Leeren</translation>
    </message>
    <message>
      <source>Copy diagnostics</source>
      <translation>Diagnose kopieren</translation>
    </message>
    <message>
      <source>Delete what can be made again: small maps, embedded galleries</source>
      <translation>Löscht, was sich neu erzeugen lässt: kleine Karten, eingebettete Galerien</translation>
    </message>
    <message>
      <source>Diagnostics</source>
      <translation>Diagnose</translation>
    </message>
    <message>
      <source>Log</source>
      <translation>Protokoll</translation>
    </message>
    <message>
      <source>Measuring…</source>
      <translation>Wird gemessen…</translation>
    </message>
    <message>
      <source>Model</source>
      <translation>Modell</translation>
    </message>
    <message>
      <source>My concepts</source>
      <translation>Meine Konzepte</translation>
    </message>
    <message>
      <source>Open</source>
      <translation>Öffnen</translation>
    </message>
    <message>
      <source>Put them on the clipboard, for a report of a problem</source>
      <translation>Legt sie in die Zwischenablage, für eine Problemmeldung</translation>
    </message>
    <message>
      <source>Show log</source>
      <translation>Protokoll anzeigen</translation>
    </message>
    <message>
      <source>The plugin's own</source>
      <translation>Das des Plugins</translation>
    </message>
    <message>
      <source>What the plugin does and what went wrong</source>
      <translation>Was die Erweiterung tut und was schiefging</translation>
    </message>
    <message>
      <source>geoconcept-small, which the plugin brings</source>
      <translation>geoconcept-small, das das Plugin mitbringt</translation>
    </message>
    <message>
      <source>{0:.1f} MB</source>
      <translation>{0:.1f} MB</translation>
    </message>
    <message>
      <source>{0:.1f} MB were freed.</source>
      <translation>{0:.1f} MB wurden freigegeben.</translation>
    </message>
  </context>
  <context>
    <name>PhotoTab</name>
    <message>
      <source>Choose a photo, or a vector of one</source>
      <translation>Ein Foto oder einen Vektor eines Fotos wählen</translation>
    </message>
    <message>
      <source>Click a place to see it on the map</source>
      <translation>Klicken Sie einen Ort an, um ihn auf der Karte zu sehen</translation>
    </message>
    <message>
      <source>Locate</source>
      <translation>Ort suchen</translation>
    </message>
    <message>
      <source>Locating {0}</source>
      <translation>Ort von {0} wird gesucht</translation>
    </message>
    <message>
      <source>Open a photo</source>
      <translation>Foto öffnen</translation>
    </message>
    <message>
      <source>Open report</source>
      <translation>Bericht öffnen</translation>
    </message>
    <message>
      <source>Open…</source>
      <translation>Öffnen…</translation>
    </message>
    <message>
      <source>Photos and vectors ({0})</source>
      <translation>Fotos und Vektoren ({0})</translation>
    </message>
    <message>
      <source>The best places appear here, most likely first; heatmap and areas become layers.</source>
      <translation>Hier erscheinen die besten Orte, die wahrscheinlichsten zuerst; Heatmap und Gebiete werden zu Layern.</translation>
    </message>
    <message>
      <source>Why there: the concepts that the photo expresses, and the credible areas</source>
      <translation>Warum dort: die Konzepte, die das Foto ausdrückt, und die Gebiete, in denen der Ort wahrscheinlich liegt</translation>
    </message>
    <message>
      <source>{0}.  {1:.2f}° {2}, {3:.2f}° {4}   {5:.1f} %</source>
      <translation>{0}.  {1:.2f}° {2}, {3:.2f}° {4}   {5:.1f} %</translation>
    </message>
    <message>
      <source>{0}. It has no EXIF position.</source>
      <translation>{0}. Es hat keine EXIF-Position.</translation>
    </message>
    <message>
      <source>{0}. Its EXIF position is {1:.4f}, {2:.4f} (lat, lon): shown, never used.</source>
      <translation>{0}. Seine EXIF-Position ist {1:.4f}, {2:.4f} (Breite, Länge): gezeigt, nie verwendet.</translation>
    </message>
    <message>
      <source>{0}: a vector; it needs no engine</source>
      <translation>{0}: ein Vektor; er braucht keine Engine</translation>
    </message>
  </context>
  <context>
    <name>PlaceProfile</name>
    <message>
      <source>... and {0} places more, in the table only.</source>
      <translation>... und {0} weitere Orte, nur in der Tabelle.</translation>
    </message>
    <message>
      <source>Concepts a place</source>
      <translation>Konzepte je Ort</translation>
    </message>
    <message>
      <source>Its vector as a sum of {0} concepts:</source>
      <translation>Sein Vektor als Summe von {0} Konzepten:</translation>
    </message>
    <message>
      <source>Its vector is no sum of these concepts.</source>
      <translation>Sein Vektor ist keine Summe dieser Konzepte.</translation>
    </message>
    <message>
      <source>None of these concepts is more likely here than elsewhere.</source>
      <translation>Keines dieser Konzepte ist hier wahrscheinlicher als anderswo.</translation>
    </message>
    <message>
      <source>Percentile: share of the concept's reference places that score lower.</source>
      <translation>Perzentil: Anteil der Referenzorte des Konzepts mit niedrigerem Wert.</translation>
    </message>
    <message>
      <source>Place profile</source>
      <translation>Ortsprofil</translation>
    </message>
    <message>
      <source>Place profile: {0}</source>
      <translation>Ortsprofil: {0}</translation>
    </message>
    <message>
      <source>Place profiles</source>
      <translation>Ortsprofile</translation>
    </message>
    <message>
      <source>Place profiles: {0} places</source>
      <translation>Ortsprofile: {0} Orte</translation>
    </message>
    <message>
      <source>Places</source>
      <translation>Orte</translation>
    </message>
    <message>
      <source>Status</source>
      <translation>Status</translation>
    </message>
    <message>
      <source>Table of profiles</source>
      <translation>Tabelle der Profile</translation>
    </message>
    <message>
      <source>Tells what a place, or each place of a layer, is associated with: its strongest concepts with their evidence, and its vector as a sum of few concepts, with how much that sum leaves untold.

Place: a point on the map, or a layer of at most 1,000 features; areas and lines count by a point on them.
Concepts: empty means all but those of grade D.
Strongest means most informative: what the calibrated score tells about the label beyond how common it is. A percentile treats a common label like a rare one.
Table: one row a place and concept (optional).

The report shows up to 25 places. Scores are associations, no observations.</source>
      <translation>Sagt, womit ein Ort oder jeder Ort eines Layers verbunden ist: seine stärksten Konzepte mit ihren Belegen, und sein Vektor als Summe weniger Konzepte, mit dem, was diese Summe nicht erfasst.

Ort: ein Punkt auf der Karte oder ein Layer mit höchstens 1000 Objekten; Flächen und Linien zählen mit einem Punkt auf ihnen.
Konzepte: leer bedeutet alle außer denen der Note D.
Am stärksten heißt am aussagekräftigsten: was der kalibrierte Wert über das Merkmal sagt, über dessen Häufigkeit hinaus. Ein Perzentil behandelt ein häufiges Merkmal wie ein seltenes.
Tabelle: eine Zeile je Ort und Konzept (optional).

Der Bericht zeigt bis zu 25 Orte. Werte sagen, womit Orte verbunden sind; sie sind keine Beobachtungen.</translation>
    </message>
    <message>
      <source>The sum has cosine {0:.2f} with the place's own vector ({1:.2f} without what all places share); it leaves {2:.0%} of what sets the place apart untold.</source>
      <translation>Die Summe hat mit dem Vektor des Ortes den Kosinus {0:.2f} ({1:.2f} ohne das, was allen Orten gemeinsam ist); {2:.0%} dessen, was den Ort von anderen unterscheidet, erfasst sie nicht.</translation>
    </message>
    <message>
      <source>Weakest grade among them: {0} ({1}).</source>
      <translation>Schwächste Note darunter: {0} ({1}).</translation>
    </message>
    <message>
      <source>What the model associates with it; nothing was observed there.</source>
      <translation>Was das Modell damit verbindet; dort wurde nichts beobachtet.</translation>
    </message>
    <message>
      <source>Where</source>
      <translation>Wo</translation>
    </message>
    <message>
      <source>nothing is to be written: choose a report, a table, or both</source>
      <translation>es gibt nichts zu schreiben: wählen Sie einen Bericht, eine Tabelle oder beides</translation>
    </message>
    <message>
      <source>place</source>
      <translation>Ort</translation>
    </message>
    <message>
      <source>{0} places are more than {1}: select fewer, or use 'Concept columns' for a whole layer</source>
      <translation>{0} Orte sind mehr als {1}: wählen Sie weniger aus, oder verwenden Sie „Konzeptspalten“ für einen ganzen Layer</translation>
    </message>
  </context>
  <context>
    <name>PlaceTab</name>
    <message>
      <source>All families</source>
      <translation>Alle Familien</translation>
    </message>
    <message>
      <source>At sea: the concepts were tested on land.</source>
      <translation>Im Meer: die Konzepte wurden an Land geprüft.</translation>
    </message>
    <message>
      <source>Bars: percentile, the share of reference places that score lower. Associated with, not observed.</source>
      <translation>Balken: Perzentil, der Anteil der Referenzorte mit niedrigerem Wert. Damit verbunden, nicht beobachtet.</translation>
    </message>
    <message>
      <source>Click a place on the map</source>
      <translation>Ort auf der Karte anklicken</translation>
    </message>
    <message>
      <source>Click on the map to see the strongest concepts there; drag to pan</source>
      <translation>Klicken Sie auf die Karte, um die stärksten Konzepte dort zu sehen; Ziehen verschiebt die Karte</translation>
    </message>
    <message>
      <source>Keep this place and compare the next one with it</source>
      <translation>Diesen Ort behalten und den nächsten damit vergleichen</translation>
    </message>
    <message>
      <source>Largest difference</source>
      <translation>Größter Unterschied</translation>
    </message>
    <message>
      <source>Largest difference needs a pinned place</source>
      <translation>Der größte Unterschied braucht einen angepinnten Ort</translation>
    </message>
    <message>
      <source>Pin</source>
      <translation>Anpinnen</translation>
    </message>
    <message>
      <source>Press the button, then click on the map:
the strongest concepts of the place appear here.</source>
      <translation>Drücken Sie den Knopf und klicken Sie dann auf die Karte:
hier erscheinen die stärksten Konzepte des Ortes.</translation>
    </message>
    <message>
      <source>Reading a place</source>
      <translation>Ein Ort wird gelesen</translation>
    </message>
    <message>
      <source>Strongest here</source>
      <translation>Hier am stärksten</translation>
    </message>
    <message>
      <source>This point of the map is no place on Earth.</source>
      <translation>Dieser Punkt der Karte ist kein Ort auf der Erde.</translation>
    </message>
    <message>
      <source>Within half a degree of the antimeridian or a pole: this model's scores jump.</source>
      <translation>Höchstens ein halbes Grad vom 180. Längengrad oder von einem Pol entfernt: dort springen die Werte dieses Modells.</translation>
    </message>
    <message>
      <source>compared with {0} (lower bars)</source>
      <translation>verglichen mit {0} (untere Balken)</translation>
    </message>
    <message>
      <source>pinned: now click another place</source>
      <translation>angepinnt: klicken Sie nun einen anderen Ort an</translation>
    </message>
  </context>
  <context>
    <name>Preview</name>
    <message>
      <source>Preview: {0}</source>
      <translation>Vorschau: {0}</translation>
    </message>
  </context>
  <context>
    <name>SimilarPlaces</name>
    <message>
      <source>Agreement of the seeds</source>
      <translation>Übereinstimmung der Ausgangsorte</translation>
    </message>
    <message>
      <source>Map of likeness</source>
      <translation>Karte der Ähnlichkeit</translation>
    </message>
    <message>
      <source>Maps how much places are like some seed places, and says which concepts carry the likeness.

Seeds: a layer, or a single place. What they share is sought, so choose seeds that have something in common.
Value: percentile is the share of the land that is less like the seeds (0 to 100); likeness is the centred cosine (-1 to 1), 0 for the average place on land, 1 for the seeds' own mean.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.

Near the seeds the map is high for no better reason than that they are near. Likeness is likeness to the model: of what places are associated with, not of anything measured there.</source>
      <translation>Zeigt auf einer Karte, wie sehr Orte einigen Ausgangsorten ähneln, und sagt, welche Konzepte die Ähnlichkeit tragen.

Ausgangsorte: ein Layer oder ein einzelner Ort. Gesucht wird, was ihnen gemeinsam ist; wählen Sie also Orte, die etwas gemeinsam haben.
Wert: das Perzentil ist der Anteil des Landes, der den Ausgangsorten weniger ähnelt (0 bis 100); die Ähnlichkeit ist der zentrierte Kosinus (-1 bis 1), 0 für den mittleren Ort an Land, 1 für das Mittel der Ausgangsorte selbst.
Zellengröße: in Einheiten des KBS; 0 ergibt etwa 400 Zellen entlang der längeren Seite.

Nahe an den Ausgangsorten ist die Karte allein deshalb hoch, weil sie nahe sind. Ähnlichkeit heißt Ähnlichkeit für das Modell: dessen, womit Orte verbunden sind, nicht von etwas dort Gemessenem.</translation>
    </message>
    <message>
      <source>Mean cosine between them</source>
      <translation>Mittlerer Kosinus zwischen ihnen</translation>
    </message>
    <message>
      <source>Percentile and calibrated score: means over the seeds.</source>
      <translation>Perzentil und kalibrierter Wert: Mittel über die Ausgangsorte.</translation>
    </message>
    <message>
      <source>Seed places</source>
      <translation>Ausgangsorte</translation>
    </message>
    <message>
      <source>Seeds</source>
      <translation>Ausgangsorte</translation>
    </message>
    <message>
      <source>Similar places</source>
      <translation>Ähnliche Orte</translation>
    </message>
    <message>
      <source>Similar places: {0}</source>
      <translation>Ähnliche Orte: {0}</translation>
    </message>
    <message>
      <source>Table of concepts</source>
      <translation>Tabelle der Konzepte</translation>
    </message>
    <message>
      <source>The seeds have little in common (mean cosine {0:.2f}, 0 for places at random): their mean may stand for none of them. Try fewer, or a map for each kind.</source>
      <translation>Die Ausgangsorte haben wenig gemeinsam (mittlerer Kosinus {0:.2f}, 0 bei zufälligen Orten): ihr Mittel steht vielleicht für keinen von ihnen. Versuchen Sie es mit weniger Orten oder mit einer Karte für jede Art.</translation>
    </message>
    <message>
      <source>The seeds.</source>
      <translation>Die Ausgangsorte.</translation>
    </message>
    <message>
      <source>Value</source>
      <translation>Wert</translation>
    </message>
    <message>
      <source>What carries the likeness</source>
      <translation>Was die Ähnlichkeit trägt</translation>
    </message>
    <message>
      <source>What the seeds share</source>
      <translation>Was den Ausgangsorten gemeinsam ist</translation>
    </message>
    <message>
      <source>What the seeds share is associated most with: {0}.</source>
      <translation>Was den Ausgangsorten gemeinsam ist, ist am stärksten verbunden mit: {0}.</translation>
    </message>
    <message>
      <source>What the seeds share, written as a sum of few concepts. It leaves {0:.0%} of it untold.</source>
      <translation>Was den Ausgangsorten gemeinsam ist, als Summe weniger Konzepte geschrieben. {0:.0%} davon erfasst sie nicht.</translation>
    </message>
    <message>
      <source>Where</source>
      <translation>Wo</translation>
    </message>
    <message>
      <source>likeness, -1 to 1</source>
      <translation>Ähnlichkeit, -1 bis 1</translation>
    </message>
    <message>
      <source>none of the concepts</source>
      <translation>keinem der Konzepte</translation>
    </message>
    <message>
      <source>percentile of the land, 0 to 100</source>
      <translation>Perzentil des Landes, 0 bis 100</translation>
    </message>
    <message>
      <source>seeds</source>
      <translation>Ausgangsorte</translation>
    </message>
    <message>
      <source>{0} seeds, mean cosine between them {1:.2f}</source>
      <translation>{0} Ausgangsorte, mittlerer Kosinus zwischen ihnen {1:.2f}</translation>
    </message>
    <message>
      <source>{0} seeds: {1} of them, drawn at random, are used</source>
      <translation>{0} Ausgangsorte: {1} davon, zufällig gezogen, werden verwendet</translation>
    </message>
  </context>
  <context>
    <name>cells</name>
    <message>
      <source>layer '{0}' has no polygons</source>
      <translation>der Layer „{0}“ hat keine Polygone</translation>
    </message>
  </context>
  <context>
    <name>expressions</name>
    <message>
      <source>&lt;h3&gt;concept_score&lt;/h3&gt;
&lt;p&gt;Score of a concept at the current feature, or at another geometry.&lt;/p&gt;
&lt;h4&gt;Syntax&lt;/h4&gt;
&lt;p&gt;&lt;b&gt;concept_score&lt;/b&gt;(&lt;i&gt;concept&lt;/i&gt; [, &lt;i&gt;geometry&lt;/i&gt; [, &lt;i&gt;kind&lt;/i&gt;]])&lt;/p&gt;
&lt;h4&gt;Arguments&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;i&gt;concept&lt;/i&gt;: name of a concept, of one of your own, or 'words: olive groves'&lt;/li&gt;
&lt;li&gt;&lt;i&gt;geometry&lt;/i&gt;: in the layer's CRS; the feature's own when left out or NULL&lt;/li&gt;
&lt;li&gt;&lt;i&gt;kind&lt;/i&gt;: 'calibrated' (0 to 1), 'percentile' (0 to 100) or 'cosine'; left out: calibrated where the concept is,
else percentile&lt;/li&gt;&lt;/ul&gt;
&lt;h4&gt;Examples&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;code&gt;concept_score('hot desert climate')&lt;/code&gt;&lt;/li&gt;
&lt;li&gt;&lt;code&gt;concept_score('vineyard', centroid($geometry), 'percentile')&lt;/code&gt;&lt;/li&gt;&lt;/ul&gt;
&lt;p&gt;NULL where there is no geometry. For many features the algorithm 'Concept columns' is much faster.&lt;/p&gt;
</source>
      <translation>&lt;h3&gt;concept_score&lt;/h3&gt;
&lt;p&gt;Wert eines Konzepts am aktuellen Objekt oder an einer anderen Geometrie.&lt;/p&gt;
&lt;h4&gt;Syntax&lt;/h4&gt;
&lt;p&gt;&lt;b&gt;concept_score&lt;/b&gt;(&lt;i&gt;concept&lt;/i&gt; [, &lt;i&gt;geometry&lt;/i&gt; [, &lt;i&gt;kind&lt;/i&gt;]])&lt;/p&gt;
&lt;h4&gt;Argumente&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;i&gt;concept&lt;/i&gt;: Name eines Konzepts, auch eines eigenen, oder 'words: olive groves'&lt;/li&gt;
&lt;li&gt;&lt;i&gt;geometry&lt;/i&gt;: im KBS des Layers; fehlt sie oder ist sie NULL, die des Objekts&lt;/li&gt;
&lt;li&gt;&lt;i&gt;kind&lt;/i&gt;: 'calibrated' (0 bis 1), 'percentile' (0 bis 100) oder 'cosine'; fehlt es: kalibriert, wo das Konzept es ist,
sonst Perzentil&lt;/li&gt;&lt;/ul&gt;
&lt;h4&gt;Beispiele&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;code&gt;concept_score('hot desert climate')&lt;/code&gt;&lt;/li&gt;
&lt;li&gt;&lt;code&gt;concept_score('vineyard', centroid($geometry), 'percentile')&lt;/code&gt;&lt;/li&gt;&lt;/ul&gt;
&lt;p&gt;NULL, wo es keine Geometrie gibt. Für viele Objekte ist der Algorithmus „Konzeptspalten“ viel schneller.&lt;/p&gt;
</translation>
    </message>
    <message>
      <source>&lt;h3&gt;place_similarity&lt;/h3&gt;
&lt;p&gt;How alike two places are to the model: the cosine of their embeddings, centred on the average land.&lt;/p&gt;
&lt;h4&gt;Syntax&lt;/h4&gt;
&lt;p&gt;&lt;b&gt;place_similarity&lt;/b&gt;(&lt;i&gt;geometry&lt;/i&gt; [, &lt;i&gt;other geometry&lt;/i&gt;])&lt;/p&gt;
&lt;h4&gt;Arguments&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;i&gt;geometry&lt;/i&gt;: in the layer's CRS&lt;/li&gt;
&lt;li&gt;&lt;i&gt;other geometry&lt;/i&gt;: in the layer's CRS; the feature's own when left out&lt;/li&gt;&lt;/ul&gt;
&lt;h4&gt;Example&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;code&gt;place_similarity(make_point(31.2, 30.0))&lt;/code&gt; in a layer in EPSG:4326&lt;/li&gt;&lt;/ul&gt;
&lt;p&gt;1 for the same place, about 0 for two places with nothing in common. NULL where there is no geometry.&lt;/p&gt;
</source>
      <translation>&lt;h3&gt;place_similarity&lt;/h3&gt;
&lt;p&gt;Wie ähnlich zwei Orte dem Modell sind: der Kosinus ihrer Einbettungen, zentriert auf das mittlere Land.&lt;/p&gt;
&lt;h4&gt;Syntax&lt;/h4&gt;
&lt;p&gt;&lt;b&gt;place_similarity&lt;/b&gt;(&lt;i&gt;geometry&lt;/i&gt; [, &lt;i&gt;other geometry&lt;/i&gt;])&lt;/p&gt;
&lt;h4&gt;Argumente&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;i&gt;geometry&lt;/i&gt;: im KBS des Layers&lt;/li&gt;
&lt;li&gt;&lt;i&gt;other geometry&lt;/i&gt;: im KBS des Layers; fehlt sie, die des Objekts&lt;/li&gt;&lt;/ul&gt;
&lt;h4&gt;Beispiel&lt;/h4&gt;
&lt;ul&gt;&lt;li&gt;&lt;code&gt;place_similarity(make_point(31.2, 30.0))&lt;/code&gt; in einem Layer in EPSG:4326&lt;/li&gt;&lt;/ul&gt;
&lt;p&gt;1 für denselben Ort, etwa 0 für zwei Orte ohne Gemeinsamkeit. NULL, wo es keine Geometrie gibt.&lt;/p&gt;
</translation>
    </message>
    <message>
      <source>a geometry is expected, such as $geometry or make_point(31.2, 30.0)</source>
      <translation>erwartet wird eine Geometrie, etwa $geometry oder make_point(31.2, 30.0)</translation>
    </message>
    <message>
      <source>concept_score needs the name of a concept</source>
      <translation>concept_score braucht den Namen eines Konzepts</translation>
    </message>
    <message>
      <source>concept_score(concept [, geometry [, kind]]) takes one to three arguments</source>
      <translation>concept_score(concept [, geometry [, kind]]) nimmt ein bis drei Argumente</translation>
    </message>
    <message>
      <source>kind must be 'calibrated', 'percentile' or 'cosine'; got '{0}'</source>
      <translation>kind muss 'calibrated', 'percentile' oder 'cosine' sein; angegeben ist '{0}'</translation>
    </message>
    <message>
      <source>place_similarity(geometry [, other geometry]) takes one or two arguments</source>
      <translation>place_similarity(geometry [, other geometry]) nimmt ein oder zwei Argumente</translation>
    </message>
    <message>
      <source>the layer has no CRS: set it in the layer's properties</source>
      <translation>der Layer hat kein KBS: legen Sie es in den Layereigenschaften fest</translation>
    </message>
  </context>
  <context>
    <name>finder</name>
    <message>
      <source>it said nothing</source>
      <translation>es kam keine Antwort</translation>
    </message>
    <message>
      <source>no answer in {0:.0f} seconds</source>
      <translation>keine Antwort in {0:.0f} Sekunden</translation>
    </message>
    <message>
      <source>photos are read by CLIP, which runs outside QGIS, in an engine that is not there yet. Install it in the plugin's options, or choose a Python there that has geoconcept_gis with its extra 'images'. Vectors (.npy) work without it.</source>
      <translation>Fotos werden von CLIP gelesen, das außerhalb von QGIS in einer Engine läuft, die es noch nicht gibt. Installieren Sie sie in den Optionen der Erweiterung, oder wählen Sie dort ein Python, das geoconcept_gis mit dem Zusatz 'images' enthält. Vektoren (.npy) gehen auch ohne sie.</translation>
    </message>
    <message>
      <source>stopped</source>
      <translation>angehalten</translation>
    </message>
    <message>
      <source>{0} has no geoconcept_gis: {1}</source>
      <translation>{0} hat kein geoconcept_gis: {1}</translation>
    </message>
    <message>
      <source>{0} is not there</source>
      <translation>{0} ist nicht vorhanden</translation>
    </message>
  </context>
  <context>
    <name>installer</name>
    <message>
      <source>Done: geoconcept_gis {0} in {1}</source>
      <translation>Fertig: geoconcept_gis {0} in {1}</translation>
    </message>
    <message>
      <source>Going on with {0}</source>
      <translation>Es geht weiter mit {0}</translation>
    </message>
    <message>
      <source>Install the GeoConcept engine</source>
      <translation>Die GeoConcept-Engine installieren</translation>
    </message>
    <message>
      <source>This makes a Python environment in {0} and installs {1} and all that it needs (torch above all) from {2}. It takes 2 to 7 GB on the disk and some minutes. QGIS's own Python is not touched; to remove it, delete the folder. CLIP's weights (1.7 GB) are not part of it: you choose a file of them afterwards.</source>
      <translation>Dies legt eine Python-Umgebung in {0} an und installiert {1} mit allem, was dazu nötig ist (vor allem torch), von {2}. Das braucht 2 bis 7 GB auf der Festplatte und einige Minuten. Das Python von QGIS selbst bleibt unberührt; zum Entfernen löschen Sie den Ordner. Die Gewichte von CLIP (1,7 GB) gehören nicht dazu: Sie wählen danach eine Datei mit ihnen.</translation>
    </message>
    <message>
      <source>Trying it ...</source>
      <translation>Es wird ausprobiert ...</translation>
    </message>
    <message>
      <source>a step failed: {0}</source>
      <translation>ein Schritt ist fehlgeschlagen: {0}</translation>
    </message>
    <message>
      <source>no Python of version 3.11 or later that can make environments was found: install one (on Debian and Ubuntu with python3-venv), and choose it</source>
      <translation>es wurde kein Python ab Version 3.11 gefunden, das Umgebungen anlegen kann: installieren Sie eines (unter Debian und Ubuntu mit python3-venv) und wählen Sie es</translation>
    </message>
    <message>
      <source>nothing was installed: the question was not answered with yes</source>
      <translation>es wurde nichts installiert: die Frage wurde nicht mit Ja beantwortet</translation>
    </message>
    <message>
      <source>stopped; the next time it goes on from here</source>
      <translation>angehalten; beim nächsten Mal geht es von hier weiter</translation>
    </message>
    <message>
      <source>the index that pip is set to</source>
      <translation>dem Paketindex, auf den pip eingestellt ist</translation>
    </message>
    <message>
      <source>{0} cannot be started: {1}</source>
      <translation>{0} kann nicht gestartet werden: {1}</translation>
    </message>
    <message>
      <source>{0} has {1:.1f} GB free; the engine needs up to {2:.1f} GB</source>
      <translation>{0} hat {1:.1f} GB frei; die Engine braucht bis zu {2:.1f} GB</translation>
    </message>
    <message>
      <source>{0} is there and is no environment of this plugin: move it away</source>
      <translation>{0} ist vorhanden und keine Umgebung dieser Erweiterung: verschieben Sie den Ordner</translation>
    </message>
  </context>
  <context>
    <name>photos</name>
    <message>
      <source>Starting the engine ...</source>
      <translation>Die Engine wird gestartet ...</translation>
    </message>
    <message>
      <source>choose at least one photo, folder or vector</source>
      <translation>wählen Sie mindestens ein Foto, einen Ordner oder einen Vektor</translation>
    </message>
    <message>
      <source>folder {0} holds no photos</source>
      <translation>der Ordner {0} enthält keine Fotos</translation>
    </message>
    <message>
      <source>it is no array of numpy: {0}</source>
      <translation>es ist kein numpy-Array: {0}</translation>
    </message>
    <message>
      <source>it must hold numbers: 768 or 512 of them, or rows of as many</source>
      <translation>es muss Zahlen enthalten: 768 oder 512 davon, oder Zeilen mit ebenso vielen</translation>
    </message>
    <message>
      <source>model {0} reads photos by the tower '{1}', not by '{2}': choose that one</source>
      <translation>das Modell {0} liest Fotos mit dem Bildleser '{1}', nicht mit '{2}': jenen wählen</translation>
    </message>
    <message>
      <source>the engine reads no photos for model {0}: give vectors (.npy)</source>
      <translation>für das Modell {0} liest die Engine keine Fotos: Vektoren (.npy) angeben</translation>
    </message>
    <message>
      <source>there is no file {0}</source>
      <translation>die Datei {0} ist nicht vorhanden</translation>
    </message>
  </context>
  <context>
    <name>raster</name>
    <message>
      <source>cannot write {0}: {1}</source>
      <translation>{0} kann nicht geschrieben werden: {1}</translation>
    </message>
    <message>
      <source>the extent has no CRS: choose one</source>
      <translation>die Ausdehnung hat kein KBS: wählen Sie eines</translation>
    </message>
    <message>
      <source>the extent is empty: draw or choose an area</source>
      <translation>die Ausdehnung ist leer: zeichnen oder wählen Sie ein Gebiet</translation>
    </message>
    <message>
      <source>{0} x {1} cells are more than {2}: choose larger cells or a smaller area</source>
      <translation>{0} x {1} Zellen sind mehr als {2}: wählen Sie größere Zellen oder ein kleineres Gebiet</translation>
    </message>
  </context>
  <context>
    <name>service</name>
    <message>
      <source>Choose another model in the plugin's options.</source>
      <translation>In den Optionen des Plugins ein anderes Modell wählen.</translation>
    </message>
    <message>
      <source>To read it as words, write '{0} {1}'.</source>
      <translation>Um es als Wörter zu lesen, schreiben Sie '{0} {1}'.</translation>
    </message>
    <message>
      <source>did you mean {0}?</source>
      <translation>meinten Sie {0}?</translation>
    </message>
    <message>
      <source>model {0} has no words: name a concept, or take the plugin's own model</source>
      <translation>das Modell {0} hat keine Wörter: ein Konzept nennen, oder das Modell des Plugins nehmen</translation>
    </message>
    <message>
      <source>no concept is named: choose at least one</source>
      <translation>es ist kein Konzept genannt: wählen Sie mindestens eines</translation>
    </message>
    <message>
      <source>no concept {0!r}.</source>
      <translation>es gibt kein Konzept {0!r}.</translation>
    </message>
    <message>
      <source>there is not enough memory for this: choose a smaller area or larger cells</source>
      <translation>dafür reicht der Arbeitsspeicher nicht: wählen Sie ein kleineres Gebiet oder größere Zellen</translation>
    </message>
  </context>
</TS>
