/** A sentence or two in languages of many scripts, written for these tests. */
export const sentences: Readonly<Record<string, string>> = {
  en:
    "The ferry doesn't run after dark, so the miller's children walked home along the towpath and counted the " +
    'lights across the river.',
  de:
    'Nach dem Regen öffnete die Bäckerin das Fenster, und der Geruch von frischem Brot zog durch die enge Straße ' +
    'bis zum Fluß hinunter.',
  fr:
    "L'été dernier, nous avons traversé la forêt jusqu'à l'étang où les enfants pêchaient ; personne n'avait pensé " +
    "à emporter d'eau.",
  es: '¿Quién dejó la puerta abierta? El niño señaló al perro, que dormía tranquilamente bajo la mesa de la cocina.',
  pt: 'A irmã mais nova não quis voltar para casa antes que as luzes do cais se apagassem e o último barco chegasse.',
  it: "Perché l'acqua del pozzo fosse più fresca, la nonna la teneva all'ombra del fico, in una brocca di terracotta.",
  nl:
    "'s Ochtends vroeg fietste hij langs de vaart naar het dorp, waar de markt al begonnen was en de koffie " +
    'klaarstond.',
  sv: 'På sommaren åkte vi alltid ut till ön, där farfar hade byggt en liten stuga av röda plankor bredvid bryggan.',
  da:
    'Børnene løb ned til åen for at se, om isen allerede var tyk nok til at gå på, men gamle Søren rystede på ' +
    'hovedet.',
  fi:
    'Järven rannalla seisoi vanha sauna, jonka katolle oli vuosien mittaan kasvanut paksu kerros sammalta ja ' +
    'pieniä koivuja.',
  pl: 'Zanim słońce wzeszło, gospodarz zdążył już nakarmić konie, naprawić płot i zagrzać wodę na herbatę.',
  cs: 'Když přišla zima, děti se učily bruslit na zamrzlém rybníku a večer se hřály u kamen s hrnkem čaje.',
  hu: 'A falu végén álló öreg tölgyfa alatt minden vasárnap összegyűltek a szomszédok, és késő estig beszélgettek.',
  ro: 'Când s-a întors din oraș, bătrânul a găsit poarta închisă și câinele așteptând liniștit lângă gard.',
  tr: 'İstanbul’da yağmur dindikten sonra çocuklar sokağa çıktı; IŞIKLAR yanarken İHTİYAR balıkçı ağlarını topluyordu.',
  vi: 'Mỗi buổi sáng, bà cụ quét sân rồi ngồi dưới gốc cây đa, kể cho lũ trẻ nghe chuyện ngày xưa của làng.',
  el: 'ΟΔΥΣΣΕΥΣ ΚΑΙ ΣΕΙΡΗΝΕΣ. Ο ψαράς γύρισε αργά στο λιμάνι· οι γλάροι τον ακολούθησαν ως το μώλο. Ο ΔΡΟΜΟΣ.',
  ru: 'Весной река вышла из берегов, и до мельницы можно было добраться только на лодке, которую дед прятал в сарае.',
  uk: "Увечері діти зібралися біля річки, де рибалка розповідав їм про велику рибу, яку він упіймав, та про її сім'ю.",
  bg: 'Старата къща на хълма беше пуста от години, но всяка пролет градината ѝ цъфтеше като преди.',
  he: 'בבוקר יצאו הילדים אל השדה לאסוף פרחים, ובערב חזרו הביתה עייפים ושמחים.',
  ar: 'في الصباح الباكر خرج الصياد إلى البحر، وعاد عند الغروب ومعه سلة صغيرة من السمك.',
  fa: 'پیرمرد هر روز صبح کنار رودخانه می‌نشست و به آواز پرندگان گوش می‌داد.',
  hi: 'गाँव के किनारे एक पुराना कुआँ था, जहाँ सुबह-सुबह औरतें पानी भरने आती थीं।',
  bn: 'নদীর ধারে বসে জেলে তার জাল মেরামত করছিল, আর ছেলেরা কাদায় খেলছিল।',
  ta: 'காலையில் மீனவர்கள் கடலுக்குச் சென்றனர்; மாலையில் சிறிய கூடையுடன் திரும்பினர்.',
  th: 'ตอนเช้าชาวประมงออกทะเลไปจับปลา และกลับมาถึงบ้านก่อนค่ำพร้อมปลาเต็มตะกร้า',
  ka: 'სოფლის ბოლოს ძველი წისქვილი იდგა, სადაც ბავშვები ყოველ საღამოს იკრიბებოდნენ.',
  hy: 'Գյուղի ծայրին մի հին ջրաղաց կար, որտեղ երեխաները խաղում էին մինչև երեկո։',
  am: 'ጠዋት ላይ ልጆቹ ወደ ወንዙ ሄደው ውሃ ቀዱ፤ ማታም ወደ ቤት ተመለሱ።',
  ko: '아침마다 할머니는 마당을 쓸고 나무 아래 앉아 아이들에게 옛날이야기를 들려주셨다.',
  ja: '朝になると漁師たちは海へ出て、夕方には小さな籠いっぱいの魚を持って村へ帰ってきた。',
  zh: '春天来了，河水漫过堤岸，村里的人只好划着小船去磨坊，孩子们却高兴得在门口放起了纸船。',
};
